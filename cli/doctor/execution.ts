import { MissingNative } from '../../exec/missing-native.ts';
import { type Backend, type DeviceInfo, type Native, native, nativePath } from '../../exec/native.ts';
import { formatBytes } from '../../sim/units/format.ts';
import { type Finding, finding } from './finding.ts';

/** What the backends find here, or why there is none. */
export interface Backends {
  addon: Finding;
  cpu: Finding;
  cuda: Finding;
  /** cuBLAS as the CUDA backend loaded it, with version and file; null where it did not come to that. */
  cublas: string | null;
}

/** Loads the native addon, which no planning needs, and lets each backend look for what it runs on. */
export function backendFindings(): Backends {
  try {
    const loaded = native();
    const cuda = probed(loaded, 'cuda');
    return {
      addon: finding('native addon', nativePath(), ''),
      cpu: cpuBackend(probed(loaded, 'cpu')),
      cuda: cudaBackend(cuda),
      cublas: typeof cuda === 'string' ? null : cuda.blas,
    };
  } catch (error) {
    if (!(error instanceof MissingNative)) throw error;
    const advice = 'It takes the native addon; planning needs none.';
    return {
      addon: finding('native addon', null, sentence(error.message)),
      cpu: finding('CPU backend', null, advice),
      cuda: finding('CUDA backend', null, advice),
      cublas: null,
    };
  }
}

function probed(loaded: Native, backend: Backend): DeviceInfo | string {
  const found = loaded.probe(backend);
  return 'info' in found ? found.info : found.missing;
}

function cpuBackend(found: DeviceInfo | string): Finding {
  const name = 'CPU backend';
  if (typeof found === 'string') return finding(name, null, sentence(found));
  const advice = 'Install libopenblas (Debian: libopenblas0): matrix products are several times as fast with it.';
  return { name, found: `matrix products by ${found.blas}`, advice: found.blas.startsWith('built-in') ? advice : null };
}

function cudaBackend(found: DeviceInfo | string): Finding {
  if (typeof found === 'string') return finding('CUDA backend', null, sentence(found));
  const { name, driver, gpuBytes } = found;
  return finding('CUDA backend', `${name}, ${formatBytes(gpuBytes)}, ${driver}`, '');
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${text.endsWith('.') ? '' : '.'}`;
}
