-- INT8 is CockroachDB's INT, and PostgreSQL's bigint.
create table account (
  id int8 primary key,
  balance int8 not null check (balance >= 0)
);
