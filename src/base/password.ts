/** A password that cannot be printed by accident. */
import { inspect } from 'node:util'

const REDACTED = '[redacted]'

/** Holds a password; only `reveal()` returns it, and every way of printing it prints `[redacted]`. */
export class Password {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  /** The password itself: for the wire and for `connectionString()`, for nothing else. */
  reveal(): string {
    return this.#value
  }

  equals(other: Password | undefined): boolean {
    return other !== undefined && other.#value === this.#value
  }

  toString(): string {
    return REDACTED
  }

  toJSON(): string {
    return REDACTED
  }

  [inspect.custom](): string {
    return REDACTED
  }
}
