/** The folder of the built library; in a function that was bundled to an ES module there is none to speak of. */

/** Named like nothing else: a variable of this name would stand in its way wherever it is in scope. */
export const importMetaDirname = typeof __dirname === 'undefined' ? '' : __dirname
