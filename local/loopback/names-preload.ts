/** For `node --import`: names below cockroachlabs.cloud resolve to loopback from the first line of the program on. */
import { resolveToLoopback } from './names.ts'

resolveToLoopback()
