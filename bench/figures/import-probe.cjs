/** Loads the modules that are named on the command line, and prints what that took. */
const before = process.cpuUsage()
const startedMs = performance.now()
for (const file of process.argv.slice(2)) require(file)
const ms = performance.now() - startedMs
const { user, system } = process.cpuUsage(before)
process.stdout.write(JSON.stringify({ ms, processorMs: (user + system) / 1000 }))
