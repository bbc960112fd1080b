/** The folder of the built library; in a function that was bundled to an ES module there is none to speak of. */

export const moduleDirectory = typeof __dirname === 'undefined' ? '' : __dirname
