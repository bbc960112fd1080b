/** Makes a pool, which runs the modules of the pool and of pg: loading the layer's module does not run them. */
const { createDatabase } = require('../../dist/layer/nodejs/node_modules/cockroach-lambda/index.cjs')

createDatabase({ connectionString: 'postgresql://user@localhost/database' }).getPool()
