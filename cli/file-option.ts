/** An option that names a file to write: one file each time it is given, so that it leaves the arguments after it alone. */
export function fileOption(describe: string) {
  return { type: 'array', string: true, nargs: 1, describe: `${describe}; may be repeated` } as const;
}
