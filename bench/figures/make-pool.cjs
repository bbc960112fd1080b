/** Makes a pool of the layer's module, which runs pg: neither is run when the module is loaded. */
const { createDatabase } = require('../../dist/layer/nodejs/node_modules/cockroach-lambda/index.cjs')

createDatabase({ connectionString: 'postgresql://user@localhost/database' }).getPool()
