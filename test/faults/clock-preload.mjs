/** Lets a test advance a function's clock, as after a freeze of that length: `Date.now`, from the first advance. */
const realNow = Date.now
let offsetMs = 0

globalThis.advanceClock = (ms) => {
  offsetMs += ms
  Date.now = () => realNow() + offsetMs
}
