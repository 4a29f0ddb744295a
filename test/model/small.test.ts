import { testUniverses } from './run.ts'
import { smallUniverses } from './universes.ts'

testUniverses(smallUniverses)
