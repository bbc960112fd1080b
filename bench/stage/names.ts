/** For `node --require`, bundled: names below cockroachlabs.cloud resolve to loopback. */
import { patchLookup } from '../../local/loopback/names.ts'

patchLookup()
