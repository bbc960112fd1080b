/** Lets a function's clock be moved on, as after a freeze of that length: `Date.now`, from the first move. */
const realNow = Date.now
let offsetMs = 0

globalThis.advanceClock = (ms) => {
  offsetMs += ms
  Date.now = () => realNow() + offsetMs
}
