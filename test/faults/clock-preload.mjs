/** Lets a test advance a function's clock, as after a freeze of that length: `Date`, from the first advance. */
const RealDate = Date
let offsetMs = 0

class AdvancedDate extends RealDate {
  constructor(...parts) {
    if (parts.length === 0) super(AdvancedDate.now())
    else super(...parts)
  }

  static now() {
    return RealDate.now() + offsetMs
  }
}

globalThis.advanceClock = (ms) => {
  offsetMs += ms
  globalThis.Date = AdvancedDate
}
