/**
 * Runs before the scripts, by `node --require`: reports in one line what `npm ci` left out, and what to do.
 * JavaScript that Node.js 16 can run, since the Node.js that this project pins may be missing.
 */
'use strict'

const { existsSync } = require('node:fs')
const { join } = require('node:path')
const { dependencies, devDependencies } = require('../package.json')

const packages = join(__dirname, '../node_modules')
const pinned = `Node.js ${devDependencies.node}`

function problem() {
  const names = Object.keys({ ...dependencies, ...devDependencies })
  const missing = names.filter((name) => !existsSync(join(packages, name)))
  if (missing.length > 0) {
    const some = missing.length === names.length ? '' : `, ${missing[0]} among them`
    // NODE_ENV=production and npm's omit=dev leave the development packages out, and this option overrules both.
    return `${missing.length} of ${names.length} packages are not installed${some}: run npm ci --include=dev`
  }
  // Node.js has it since 22.18; the script itself is TypeScript.
  const unfit = process.features.typescript
    ? undefined
    : `this is Node.js ${process.versions.node}, which does not run TypeScript`
  // Made by an install script, as is what PostgreSQL needs to start.
  if (!existsSync(join(packages, '.bin/node'))) {
    const missingNode = `${pinned} is missing, since npm's install scripts were off: run npm ci --ignore-scripts=false`
    return unfit === undefined ? missingNode : `${unfit}, and ${missingNode}`
  }
  return unfit && `${unfit}: start it by npm run or npx, which use ${pinned}`
}

const found = problem()
if (found !== undefined) {
  console.error(`cockroach-lambda: ${found}`)
  process.exit(1)
}
