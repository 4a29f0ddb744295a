import type { Node, NodeType } from '../tree/index.ts'

/** What a node must be beside having a name that matches. Undefined fields and empty lists ask for nothing. */
export interface FindConditions {
  readonly types?: readonly NodeType[]
  /** Modified at this moment or later, and at this moment or before; ms since 1970. */
  readonly newerMs?: number | undefined
  readonly olderMs?: number | undefined
  /** Regular files of at least and of at most so many bytes. */
  readonly leastBytes?: number | undefined
  readonly mostBytes?: number | undefined
}

const MS_NS = 1_000_000n

export function createCondition(conditions: FindConditions): (node: Node) => boolean {
  const { types = [], newerMs, olderMs, leastBytes, mostBytes } = conditions
  const newerNs = newerMs === undefined ? undefined : BigInt(Math.floor(newerMs)) * MS_NS
  // The whole of the last millisecond.
  const olderNs = olderMs === undefined ? undefined : (BigInt(Math.floor(olderMs)) + 1n) * MS_NS
  const hasSize = leastBytes !== undefined || mostBytes !== undefined
  return (node) => {
    if (types.length > 0 && !types.includes(node.type)) return false
    if (newerNs !== undefined && node.mtimeNs < newerNs) return false
    if (olderNs !== undefined && node.mtimeNs >= olderNs) return false
    if (!hasSize) return true
    if (node.type !== 'file') return false
    return node.sizeBytes >= (leastBytes ?? 0) && node.sizeBytes <= (mostBytes ?? Number.POSITIVE_INFINITY)
  }
}
