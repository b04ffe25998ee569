import { join } from 'node:path';
import { type Finding, finding } from './finding.ts';
import { versioned } from './host.ts';
import { libraries, namesIn, outputOf, programPath, textOf } from './probe.ts';

/**
 * What running on an NVIDIA GPU needs: driver, devices, libcuda, cuBLAS and, to build kernels, nvcc.
 *
 * @param loadedCublas what the CUDA backend loaded; null where that is not known
 */
export function cudaFindings(loadedCublas: string | null): Finding[] {
  return [driver(), devices(), libcuda(), cublas(loadedCublas), nvcc()];
}

function driver(): Finding {
  const version = textOf('/proc/driver/nvidia/version')?.split('\n')[0];
  return finding('NVIDIA driver', version, 'Install the NVIDIA driver to run plans on a GPU; planning needs none.');
}

function devices(): Finding {
  const program = programPath('nvidia-smi');
  const listed =
    program &&
    outputOf(program, ['-L'])
      ?.replace(/ \(UUID: [^)]*\)/g, '')
      .split('\n')
      .join('; ');
  return finding('NVIDIA GPUs', listed, 'None answers; scenarios can still name any GPU of the catalogue.');
}

function libcuda(): Finding {
  return finding(
    'libcuda',
    libraries('libcuda.so')[0],
    'It comes with the NVIDIA driver; in a container, pass the GPU through.',
  );
}

function cublas(loaded: string | null): Finding {
  const files = () => libraries('libcublas.so', [...libraryPath(), ...cudaFolders('lib64')]).join(', ');
  return finding(
    'cuBLAS',
    loaded ?? files(),
    'Install CUDA’s cuBLAS (or "pip install nvidia-cublas-cu12"), or set SPLITPOINT_CUBLAS to the path of libcublas.so.12 or .13.',
  );
}

function nvcc(): Finding {
  const path = programPath('nvcc', cudaFolders('bin'));
  const advice = 'Install the CUDA toolkit to build the GPU kernels; planning needs none.';
  return finding('nvcc', path && versioned(path), advice);
}

/** Folders of that name in the usual places of the CUDA toolkit. */
function cudaFolders(name: string): string[] {
  const toolkits = namesIn('/usr/local').filter((folder) => folder.startsWith('cuda'));
  const roots = toolkits.map((folder) => join('/usr/local', folder));
  return [process.env.CUDA_HOME, process.env.CUDA_PATH, ...roots].flatMap((root) => (root ? [join(root, name)] : []));
}

const libraryPath = () => (process.env.LD_LIBRARY_PATH ?? '').split(':').filter((folder) => folder !== '');
