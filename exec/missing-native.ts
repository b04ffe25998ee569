/** The native addon is not there or does not load; the message says what to do. */
export class MissingNative extends Error {
  constructor(reason: string) {
    super(
      `the native addon cannot be loaded (${reason}): "npm run build" builds it where there are CMake and a C++ compiler`,
    );
  }
}
