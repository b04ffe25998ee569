export function missingToolchain(): string | null;
export function buildNative(options?: { required?: boolean }): boolean;
