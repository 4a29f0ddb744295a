import {
  type ChunkerParameters,
  checkParameters,
  defaultParameters,
  parametersForAverage,
} from '../chunker/index.ts'
import { HoldfastError } from '../errors/index.ts'
import type { ChunkerConfig } from '../repository/index.ts'

const MIB = 1024 * 1024

/**
 * The config's form of chunker parameters: minimum, average and maximum in bytes, then where growth begins in
 * MiB, its ratio and its doublings (docs/format.md, "Config").
 *
 * @param averageBytes another average than the default's
 */
export function chunkerConfig(averageBytes?: number): ChunkerConfig {
  const parameters = averageBytes === undefined ? defaultParameters : parametersForAverage(averageBytes)
  const { algorithm, minimumBytes, averageBytes: average, maximumBytes, growth } = parameters
  return {
    algorithm,
    numbers: [minimumBytes, average, maximumBytes, growth.fromBytes / MIB, growth.ratio, growth.doublings],
  }
}

/** @throws HoldfastError NEWER_FORMAT for an algorithm this program does not have, UNSUPPORTED for bad numbers */
export function parametersOf(config: ChunkerConfig): ChunkerParameters {
  if (config.algorithm !== defaultParameters.algorithm) {
    throw new HoldfastError(
      'NEWER_FORMAT',
      `this repository's chunker ${config.algorithm} is not known here`,
      {
        hint: 'use a newer holdfast to back up; reading and restoring work with this one',
      },
    )
  }
  const [minimumBytes = 0, averageBytes = 0, maximumBytes = 0, fromMib = 0, ratio = 0, doublings = 0] =
    config.numbers
  const parameters: ChunkerParameters = {
    algorithm: defaultParameters.algorithm,
    minimumBytes,
    averageBytes,
    maximumBytes,
    growth: { fromBytes: fromMib * MIB, ratio, doublings },
  }
  checkParameters(parameters)
  return parameters
}
