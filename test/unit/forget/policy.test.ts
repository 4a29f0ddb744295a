import { describe, expect, test } from 'vitest'
import { type Duration, parseDuration } from '../../../src/forget/duration.ts'
import {
  applyPolicy,
  type DatedSnapshot,
  groupSnapshots,
  isEmptyPolicy,
  type KeepPolicy,
  parseKeepCount,
  UNLIMITED,
} from '../../../src/forget/policy.ts'

const DAY_MS = 86_400_000
const nowMs = Date.parse('2019-11-18T00:00:00Z')

/** A snapshot named by its time; the offset is that of the text. */
function taken(at: string, more: Partial<DatedSnapshot> = {}): DatedSnapshot {
  const offset = /([+-])(\d{2}):(\d{2})$/.exec(at)
  const minutes = offset === null ? 0 : Number(`${offset[1]}1`) * (Number(offset[2]) * 60 + Number(offset[3]))
  const timeMs = Date.parse(offset === null ? `${at}Z` : at)
  return { id: at, timeMs, offsetMinutes: minutes, tags: [], countable: true, incomplete: false, ...more }
}

/** Ids that stay, newest first, with their reasons; checks that nothing is lost or in both lists. */
function keptIds(snapshots: DatedSnapshot[], policy: KeepPolicy): [id: string, ...reasons: string[]][] {
  const { keep, remove } = applyPolicy(snapshots, policy, nowMs)
  const all = [...keep.map((kept) => kept.snapshot), ...remove]
  expect(new Set(all)).toEqual(new Set(snapshots))
  expect(all.length).toBe(snapshots.length)
  return keep.map(({ snapshot, reasons }) => [snapshot.id, ...reasons])
}

function durations(parts: Record<string, string>): { [rule: string]: Duration } {
  return Object.fromEntries(Object.entries(parts).map(([rule, text]) => [rule, parseDuration(text)]))
}

// One backup every Sunday for twelve weeks: the example of restic's manual.
const sundays = [
  '2019-09-01T11:00:00',
  '2019-09-08T11:00:00',
  '2019-09-15T11:00:00',
  '2019-09-22T11:00:00',
  '2019-09-29T11:00:00',
  '2019-10-06T11:00:00',
  '2019-10-13T11:00:00',
  '2019-10-20T11:00:00',
  '2019-10-27T11:00:00',
  '2019-11-03T11:00:00',
  '2019-11-10T11:00:00',
  '2019-11-17T11:00:00',
]

describe('applyPolicy: twelve Sundays', () => {
  test.each<[string, KeepPolicy, [string, ...string[]][]]>([
    [
      'the last four days that have a snapshot are the last four Sundays',
      { counts: { daily: 4 } },
      [
        ['2019-11-17T11:00:00', 'daily snapshot'],
        ['2019-11-10T11:00:00', 'daily snapshot'],
        ['2019-11-03T11:00:00', 'daily snapshot'],
        ['2019-10-27T11:00:00', 'daily snapshot'],
      ],
    ],
    [
      'the newest snapshot of a month stands for it, and the oldest stays while months are left',
      { counts: { monthly: 6 } },
      [
        ['2019-11-17T11:00:00', 'monthly snapshot'],
        ['2019-10-27T11:00:00', 'monthly snapshot'],
        ['2019-09-29T11:00:00', 'monthly snapshot'],
        ['2019-09-01T11:00:00', 'oldest monthly snapshot'],
      ],
    ],
    [
      'no oldest when the months are used up',
      { counts: { monthly: 3 } },
      [
        ['2019-11-17T11:00:00', 'monthly snapshot'],
        ['2019-10-27T11:00:00', 'monthly snapshot'],
        ['2019-09-29T11:00:00', 'monthly snapshot'],
      ],
    ],
    [
      'a year that is still filling up keeps its start',
      { counts: { yearly: 2 } },
      [
        ['2019-11-17T11:00:00', 'yearly snapshot'],
        ['2019-09-01T11:00:00', 'oldest yearly snapshot'],
      ],
    ],
    [
      'rules add up',
      { counts: { last: 1, monthly: 2 }, within: durations({ all: '8d' }) },
      [
        ['2019-11-17T11:00:00', 'last snapshot', 'monthly snapshot', 'within 8d'],
        ['2019-11-10T11:00:00', 'within 8d'],
        ['2019-10-27T11:00:00', 'monthly snapshot'],
      ],
    ],
    [
      'a snapshot exactly a duration older than the newest is not within it',
      { within: durations({ all: '7d' }) },
      [['2019-11-17T11:00:00', 'within 7d']],
    ],
    [
      'periods within a duration',
      { within: durations({ monthly: '1m20d' }) },
      [
        ['2019-11-17T11:00:00', 'monthly within 1m20d'],
        ['2019-10-27T11:00:00', 'monthly within 1m20d'],
        ['2019-09-29T11:00:00', 'monthly within 1m20d'],
      ],
    ],
    [
      'the oldest snapshot stays when it is within the duration',
      { within: durations({ yearly: '1y' }) },
      [
        ['2019-11-17T11:00:00', 'yearly within 1y'],
        ['2019-09-01T11:00:00', 'oldest yearly within 1y'],
      ],
    ],
    [
      'a zero duration is a rule that is off',
      { counts: { last: 1, daily: 0 }, within: durations({ all: '0d' }) },
      [['2019-11-17T11:00:00', 'last snapshot']],
    ],
    ['an id or its start', { ids: ['2019-09-22'] }, [['2019-09-22T11:00:00', 'id 2019-09-22']]],
  ])('%s', (_, policy, expected) => {
    const snapshots = sundays.map((at) => taken(at))
    expect(keptIds(snapshots, policy)).toEqual(expected)
    expect(keptIds(snapshots.toReversed(), policy)).toEqual(expected)
  })

  test.each([
    { counts: { last: UNLIMITED } },
    { counts: { weekly: UNLIMITED } },
    { counts: { last: 99 } },
    {},
  ])('nothing is removed by %j', (policy: KeepPolicy) => {
    expect(
      keptIds(
        sundays.map((at) => taken(at)),
        policy,
      ).map(([id]) => id),
    ).toEqual(sundays.toReversed())
  })
})

describe('applyPolicy: calendar', () => {
  test('a backup every day for a hundred years', () => {
    const newestMs = Date.parse('2019-11-17T11:00:00Z')
    const snapshots = Array.from({ length: 36_525 }, (_, day) =>
      taken(new Date(newestMs - day * DAY_MS).toISOString().slice(0, 19)),
    )
    const kept = keptIds(snapshots, { counts: { daily: 7, weekly: 5, monthly: 12, yearly: 75 } })
    const having = (reason: string): string[] =>
      kept.filter(([, ...all]) => all.includes(reason)).map(([id]) => id)
    expect(having('daily snapshot').map((id) => id.slice(0, 10))).toEqual(
      [17, 16, 15, 14, 13, 12, 11].map((day) => `2019-11-${day}`),
    )
    expect(having('weekly snapshot').map((id) => id.slice(0, 10))).toEqual([
      '2019-11-17',
      '2019-11-10',
      '2019-11-03',
      '2019-10-27',
      '2019-10-20',
    ])
    expect(having('monthly snapshot').map((id) => id.slice(5, 10))).toEqual([
      '11-17',
      '10-31',
      '09-30',
      '08-31',
      '07-31',
      '06-30',
      '05-31',
      '04-30',
      '03-31',
      '02-28',
      '01-31',
      '12-31',
    ])
    expect(having('yearly snapshot').map((id) => id.slice(0, 10))).toEqual([
      '2019-11-17',
      ...Array.from({ length: 74 }, (_, year) => `${2018 - year}-12-31`),
    ])
    // 7 days, 4 more weeks, 11 more months, and 73 more years, as the end of 2018 is one of the months.
    expect(kept.length).toBe(95)
  })

  test('weeks go from Monday to Sunday, over the new year too', () => {
    const snapshots = [
      '2019-01-07T00:00:00',
      '2019-01-06T23:59:59',
      '2018-12-31T00:00:00',
      '2018-12-30T23:59:59',
    ]
    expect(
      keptIds(
        snapshots.map((at) => taken(at)),
        { counts: { weekly: 3 } },
      ),
    ).toEqual([
      ['2019-01-07T00:00:00', 'weekly snapshot'],
      ['2019-01-06T23:59:59', 'weekly snapshot'],
      ['2018-12-30T23:59:59', 'weekly snapshot'],
    ])
  })

  test('days are those of the place where the snapshot was taken', () => {
    const inTokyo = ['2019-05-02T00:30:00+09:00', '2019-05-01T23:30:00+09:00', '2019-05-01T08:30:00+09:00']
    expect(
      keptIds(
        inTokyo.map((at) => taken(at)),
        { counts: { daily: 2 } },
      ),
    ).toEqual([
      ['2019-05-02T00:30:00+09:00', 'daily snapshot'],
      ['2019-05-01T23:30:00+09:00', 'daily snapshot'],
    ])
  })

  test('a day that comes up again after a journey is counted once', () => {
    const snapshots = [
      taken('2019-05-02T09:00:00+12:00'),
      taken('2019-05-01T09:30:00-11:00'),
      taken('2019-05-02T08:00:00+12:00'),
      taken('2019-04-30T12:00:00+00:00'),
      taken('2019-04-29T12:00:00+00:00'),
    ].sort((left, right) => right.timeMs - left.timeMs)
    expect(snapshots.map(({ id }) => id.slice(0, 10))).toEqual([
      '2019-05-02',
      '2019-05-01',
      '2019-05-02',
      '2019-04-30',
      '2019-04-29',
    ])
    expect(keptIds(snapshots, { counts: { daily: 3 } }).map(([id]) => id)).toEqual([
      '2019-05-02T09:00:00+12:00',
      '2019-05-01T09:30:00-11:00',
      '2019-04-30T12:00:00+00:00',
    ])
  })

  test('within is measured from the newest snapshot, however long ago', () => {
    const snapshots = ['2001-03-31T12:00:00', '2001-02-28T12:00:01', '2001-02-28T12:00:00']
    expect(
      keptIds(
        snapshots.map((at) => taken(at)),
        { within: durations({ all: '1m' }) },
      ),
    ).toEqual([
      ['2001-03-31T12:00:00', 'within 1m'],
      ['2001-02-28T12:00:01', 'within 1m'],
    ])
  })

  test('the months of a duration are counted in the local time of the newest snapshot', () => {
    // 1 May at +01:00, but 30 April in UTC: a month before is 1 April there, not 30 March.
    const snapshots = ['2019-05-01T00:30:00+01:00', '2019-04-01T00:30:01+01:00', '2019-04-01T00:30:00+01:00']
    const kept = keptIds(
      snapshots.map((at) => taken(at)),
      { within: durations({ all: '1m' }) },
    )
    expect(kept.map(([id]) => id)).toEqual(snapshots.slice(0, 2))
  })

  test('snapshots of the same moment are taken in order of their ids', () => {
    const twins = [taken('2019-05-01T09:00:00', { id: 'bb' }), taken('2019-05-01T09:00:00', { id: 'aa' })]
    for (const order of [twins, twins.toReversed()]) {
      expect(keptIds(order, { counts: { last: 1 } })).toEqual([['aa', 'last snapshot']])
    }
  })
})

describe('applyPolicy: tags', () => {
  const snapshots = [
    taken('2019-11-05T00:00:00', { id: 'none' }),
    taken('2019-11-04T00:00:00', { id: 'a', tags: ['a'] }),
    taken('2019-11-03T00:00:00', { id: 'ba', tags: ['b', 'a'] }),
    taken('2019-11-02T00:00:00', { id: 'abc', tags: ['a', 'b', 'c'] }),
    taken('2019-11-01T00:00:00', { id: 'd', tags: ['d'] }),
  ]
  test.each<[string[][], [string, ...string[]][]]>([
    [
      [['a', 'b']],
      [
        ['ba', 'tag a,b'],
        ['abc', 'tag a,b'],
      ],
    ],
    [
      [['c'], ['d']],
      [
        ['abc', 'tag c'],
        ['d', 'tag d'],
      ],
    ],
    [
      [['a'], ['b', 'c']],
      [
        ['a', 'tag a'],
        ['ba', 'tag a'],
        ['abc', 'tag a', 'tag b,c'],
      ],
    ],
    [[['']], [['none', 'no tags']]],
    [[[]], [['none', 'no tags']]],
    [[['d', '']], [['d', 'tag d']]],
    [[['absent']], []],
  ])('%j', (tags, expected) => {
    expect(keptIds(snapshots, { tags })).toEqual(expected)
  })

  test('a snapshot kept by its tag counts for the other rules as well', () => {
    expect(keptIds(snapshots, { tags: [['a', 'b', 'c']], counts: { last: 4 } }).map(([id]) => id)).toEqual([
      'none',
      'a',
      'ba',
      'abc',
    ])
  })
})

describe('applyPolicy: what no rule counts', () => {
  test('incomplete snapshots are judged among themselves, and push no whole one out', () => {
    const snapshots = [
      taken('2019-11-04T00:00:00', { incomplete: true }),
      taken('2019-11-03T00:00:00', { incomplete: true }),
      taken('2019-11-02T00:00:00'),
      taken('2019-11-01T00:00:00'),
    ]
    expect(keptIds(snapshots, { counts: { last: 1 } })).toEqual([
      ['2019-11-04T00:00:00', 'last snapshot of the incomplete ones'],
      ['2019-11-02T00:00:00', 'last snapshot'],
    ])
  })

  test('an unconfirmed snapshot stays and takes no place', () => {
    const snapshots = [
      taken('2019-11-03T00:00:00', { countable: false }),
      taken('2019-11-02T00:00:00'),
      taken('2019-11-01T00:00:00'),
    ]
    const policy = { counts: { last: 1 }, within: durations({ all: '1h' }) }
    expect(keptIds(snapshots, policy)).toEqual([
      ['2019-11-03T00:00:00', 'unconfirmed, not counted'],
      ['2019-11-02T00:00:00', 'last snapshot', 'within 1h'],
    ])
  })

  test('it does not stand for the oldest either', () => {
    const snapshots = [
      taken('2019-11-03T00:00:00'),
      taken('2019-11-02T00:00:00'),
      taken('2019-11-01T00:00:00', { countable: false }),
    ]
    expect(keptIds(snapshots, { counts: { yearly: 2 } })[1]).toEqual([
      '2019-11-02T00:00:00',
      'oldest yearly snapshot',
    ])
  })

  test('snapshots from the future push nothing out; a day ahead is taken for a wrong clock', () => {
    const snapshots = [
      taken('2030-01-01T00:00:00'),
      taken('2019-11-19T00:00:00.001'),
      taken('2019-11-19T00:00:00'),
      taken('2019-11-17T00:00:00'),
    ]
    expect(keptIds(snapshots, { counts: { last: 1 }, within: durations({ all: '1d' }) })).toEqual([
      ['2030-01-01T00:00:00', 'in the future, not counted'],
      ['2019-11-19T00:00:00.001', 'in the future, not counted'],
      ['2019-11-19T00:00:00', 'last snapshot', 'within 1d'],
    ])
  })

  test('a group without a countable snapshot keeps everything', () => {
    const snapshots = [taken('2030-01-01T00:00:00'), taken('2019-11-01T00:00:00', { countable: false })]
    expect(keptIds(snapshots, { within: durations({ daily: '1d' }) }).length).toBe(2)
    expect(keptIds([], { counts: { last: 1 } })).toEqual([])
  })
})

describe('policies', () => {
  test.each<KeepPolicy>([
    {},
    { counts: {}, within: {}, tags: [], ids: [] },
    { counts: { last: 0, daily: 0 }, within: durations({ all: '0h' }) },
  ])('%j is empty and keeps everything', (policy) => {
    expect(isEmptyPolicy(policy)).toBe(true)
    expect(keptIds([taken('2019-11-01T00:00:00')], policy)).toEqual([
      ['2019-11-01T00:00:00', 'policy is empty'],
    ])
  })

  test.each<KeepPolicy>([
    { counts: { yearly: UNLIMITED } },
    { within: durations({ weekly: '1h' }) },
    { tags: [['']] },
    { ids: ['a'] },
  ])('%j is not empty', (policy) => {
    expect(isEmptyPolicy(policy)).toBe(false)
  })

  test.each([-2, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('a count of %d is refused', (count) => {
    expect(() => keptIds([taken('2019-11-01T00:00:00')], { counts: { last: count } })).toThrow(/cannot count/)
  })

  test('parseKeepCount() reads whole numbers and unlimited', () => {
    expect(['0', '7', '365', 'unlimited', '-1'].map(parseKeepCount)).toEqual([
      0,
      7,
      365,
      UNLIMITED,
      UNLIMITED,
    ])
    for (const text of ['', '-2', '1.5', '7d', 'all', ' 7', '1e3', '1234567890']) {
      expect(() => parseKeepCount(text)).toThrow(expect.objectContaining({ code: 'USAGE' }))
    }
  })
})

describe('groupSnapshots', () => {
  const place = (host: string, paths: (string | Buffer)[], tags: string[] = []) => ({ host, paths, tags })
  const first = place('ant', ['/home', '/etc'], ['x'])
  const second = place('bee', ['/home'])
  const third = place('ant', ['/etc', '/home', '/etc'], ['y', 'x'])
  const fourth = place('ant', ['/home'], ['x', 'y'])
  const all = [first, second, third, fourth]

  test('by host and paths, whatever the order of the paths', () => {
    expect(groupSnapshots(all, ['host', 'paths'])).toEqual([
      { host: 'ant', paths: ['/home', '/etc'], tags: undefined, snapshots: [first, third] },
      { host: 'ant', paths: ['/home'], tags: undefined, snapshots: [fourth] },
      { host: 'bee', paths: ['/home'], tags: undefined, snapshots: [second] },
    ])
  })

  test('by tags', () => {
    const groups = groupSnapshots(all, ['tags'])
    expect(groups.map((group) => group.snapshots)).toEqual([[third, fourth], [first], [second]])
  })

  test('by nothing is one group, of nothing none', () => {
    expect(groupSnapshots(all, [])).toEqual([
      { host: undefined, paths: undefined, tags: undefined, snapshots: all },
    ])
    expect(groupSnapshots([], ['host'])).toEqual([])
  })

  test('names that are not UTF-8 are told apart by their bytes', () => {
    const left = place('ant', [Buffer.from([0x2f, 0xff])])
    const right = place('ant', [Buffer.from([0x2f, 0xfe])])
    const same = place('ant', [Buffer.from([0x2f, 0xff])])
    expect(groupSnapshots([left, right, same], ['paths']).map((group) => group.snapshots)).toEqual([
      [right],
      [left, same],
    ])
  })

  test('separators in names do not merge groups', () => {
    expect(groupSnapshots([place('a', ['/b,/c']), place('a', ['/b', '/c'])], ['paths']).length).toBe(2)
    expect(groupSnapshots([place('a', [], ['b","c']), place('a', [], ['b', 'c'])], ['tags']).length).toBe(2)
  })
})
