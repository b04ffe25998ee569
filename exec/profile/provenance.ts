import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Profile } from '../../sim/profile/profile.ts';
import type { DeviceInfo, DeviceOptions } from '../native.ts';

/** The package's folder, seen from the sources and from dist/exec/profile. */
const ROOTS = ['../../', '../../../'].map((place) => fileURLToPath(new URL(place, import.meta.url)));

/** Who measures here, with what, and when. */
export function provenanceOf(
  info: DeviceInfo,
  { linkBytesPerSecond }: DeviceOptions,
  notes: readonly string[],
): Profile['provenance'] {
  const root = ROOTS.find((folder) => existsSync(`${folder}package.json`)) ?? ROOTS[0];
  const { version } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as { version: string };
  return {
    backend: info.backend,
    device: oneLine(info.name, 200),
    driver: oneLine(info.driver),
    blas: oneLine(info.blas),
    versions: { splitpoint: version, node: process.versions.node },
    date: new Date().toISOString(),
    commit: commitOf(root),
    host: hostName(),
    ...(linkBytesPerSecond !== undefined && Number.isFinite(linkBytesPerSecond) && { linkBytesPerSecond }),
    source: { kind: 'measured', ...(notes.length > 0 && { notes: notes.map((note) => oneLine(note)) }) },
  };
}

/** Of the repository, or what was packed with a copy that has none. */
function commitOf(root: string): string {
  if (existsSync(`${root}COMMIT`)) return oneLine(readFileSync(`${root}COMMIT`, 'utf8'));
  if (!existsSync(`${root}.git`)) return 'unknown';
  try {
    const git = execFileSync('git', ['rev-parse', 'HEAD'], { cwd: root, stdio: ['ignore', 'pipe', 'ignore'] });
    return oneLine(git.toString());
  } catch {
    return 'unknown';
  }
}

function hostName(): string {
  const cores = cpus();
  const model = cores[0]?.model.trim() || 'unknown CPU';
  return oneLine(`${model}, ${cores.length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB`, 200);
}

function oneLine(text: string, most = 1000): string {
  return text
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim()
    .slice(0, most);
}
