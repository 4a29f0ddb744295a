const MIB = 1024 * 1024

/** How much data each scale has. Only `full` is what the floors and aims are about. */
export const amounts = {
  tiny: {
    treeFiles: 40,
    treeBytes: MIB,
    tinyFiles: 200,
    largeFileBytes: 2 * MIB,
    directoryEntries: 300,
    growingFiles: [50, 500],
    snapshots: 2,
    folderFiles: 10,
    needsHistory: false,
  },
  small: {
    treeFiles: 4000,
    treeBytes: 60 * MIB,
    tinyFiles: 10_000,
    largeFileBytes: 128 * MIB,
    directoryEntries: 30_000,
    growingFiles: [3000, 30_000],
    snapshots: 6,
    folderFiles: 100,
    needsHistory: false,
  },
  full: {
    treeFiles: Infinity,
    treeBytes: Infinity,
    tinyFiles: 300_000,
    largeFileBytes: 4096 * MIB,
    directoryEntries: 1_000_000,
    growingFiles: [100_000, 1_000_000],
    snapshots: 20,
    folderFiles: 100,
    needsHistory: true,
  },
}
