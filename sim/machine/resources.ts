/** What operations share, in the order of the cost table's columns. */
export const RESOURCES = ['h2d', 'd2h', 'hostDram', 'gpuArithmetic', 'hbm', 'hostCores'] as const;
export const Resource = { h2d: 0, d2h: 1, hostDram: 2, gpuArithmetic: 3, hbm: 4, hostCores: 5 } as const;
