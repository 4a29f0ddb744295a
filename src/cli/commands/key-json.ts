import type { KeySummary } from '../../index.ts'

/** restic's names, and what only this program knows beside them. */
export function keyJson({ id, isCurrent, method, info, isDamaged }: KeySummary): object {
  return {
    current: isCurrent,
    id,
    userName: info?.user ?? '',
    hostName: info?.host ?? '',
    created: info === undefined ? undefined : new Date(info.createdMs).toISOString(),
    method: method === 'password' ? 'password' : 'key-file',
    label: info?.label ?? '',
    damaged: isDamaged,
  }
}
