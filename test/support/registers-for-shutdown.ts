/** A process that registers for shutdown as a function does while it loads, and prints what came of it. */

import { Diagnostics } from '../../src/base/diagnostics.ts'
import { closeOnShutdown } from '../../src/lambda/graceful-shutdown.ts'
import { readSettings } from '../../src/settings/settings.ts'

const startedAt = performance.now()
const settings = readSettings({ host: 'db.example.com' })
const diagnostics = new Diagnostics()
const closers = ['first', 'second'].map((name) => () => process.send?.({ closed: name }))
for (const close of closers) closeOnShutdown(settings, diagnostics, close)
process.send?.({ ms: performance.now() - startedAt, isListening: process.listenerCount('SIGTERM') > 0 })
// Stays until it is killed.
process.channel?.ref()
