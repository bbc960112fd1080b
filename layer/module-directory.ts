/** The folder of the built library; empty in a function that was bundled to an ES module. */

/** The name is used nowhere else: a variable of the same name would hide it. */
export const importMetaDirname = typeof __dirname === 'undefined' ? '' : __dirname
