import { describe, expect, it } from 'vitest';
import { findMachine } from '../../../sim/machine/catalogue.ts';
import { inlineFromMachine, machineFromInline } from '../../../sim/machine/inline.ts';
import { machineFromNvbandwidth } from '../../../sim/profile/from-nvbandwidth.ts';
import { machineFromProfile } from '../../../sim/profile/machine.ts';
import { parseProfile } from '../../../sim/profile/profile.ts';
import { smallProfile } from './profiles.ts';

const BASE = findMachine('a100-pcie-40gb')!;

/** As nvbandwidth 0.8 writes it on a machine with two GPUs. */
function output() {
  const testcase = (name: string, ...row: string[]) => ({
    bandwidth_description: 'memcpy CE CPU(row) -> GPU(column) bandwidth (GB/s)',
    bandwidth_matrix: [row],
    name,
    status: 'Passed',
    sum: 0,
  });
  return {
    nvbandwidth: {
      'CUDA Runtime Version': 12080,
      'Driver Version': '570.133.20',
      'GPU Device list': ['0: NVIDIA A100-PCIE-40GB (00000000:65:00)', '1: NVIDIA A100-PCIE-40GB (00000000:b3:00)'],
      git_version: 'v0.8',
      testcases: [
        testcase('host_to_device_memcpy_ce', '25.5', '24.0'),
        testcase('device_to_host_memcpy_ce', '26.0', '24.5'),
        testcase('host_to_device_bidirectional_memcpy_ce', '20.4', 'N/A'),
        testcase('device_to_host_bidirectional_memcpy_ce', '20.8', '19.6'),
        { name: 'device_to_device_memcpy_read_ce', status: 'Waived' },
      ],
      version: '0.8',
    },
  };
}

describe('a machine whose link nvbandwidth measured', () => {
  it('has its rates, and the share of them that is left while both directions run', () => {
    const { link, gpu, name, measured } = machineFromNvbandwidth(output(), BASE);
    expect(link).toEqual({
      name: 'nvbandwidth',
      h2dBytesPerSecond: 25.5e9,
      d2hBytesPerSecond: 26e9,
      latencySeconds: BASE.link.latencySeconds,
      duplex: expect.closeTo(0.8, 12),
    });
    expect(gpu).toEqual(BASE.gpu);
    expect({ name, measured }).toEqual({ name: 'a100-pcie-40gb, link by nvbandwidth', measured: false });
  });

  it('takes the column of the GPU that is asked for, and passes over what is not available there', () => {
    const { link } = machineFromNvbandwidth(output(), BASE, 1);
    expect([link.h2dBytesPerSecond, link.d2hBytesPerSecond, link.duplex]).toEqual([24e9, 24.5e9, expect.closeTo(0.8)]);
  });

  it('keeps the duplex factor of its base where both directions were not run at once', () => {
    const document = output();
    document.nvbandwidth.testcases = document.nvbandwidth.testcases.slice(0, 2);
    expect(machineFromNvbandwidth(document, BASE).link.duplex).toBe(BASE.link.duplex);
  });

  it('has the figures of a measured base and none of its measurements, and can be written into a scenario', () => {
    const base = machineFromProfile(parseProfile(smallProfile()));
    const machine = machineFromNvbandwidth(output(), base);
    expect(machine.profile).toBeUndefined();
    expect(machineFromInline(inlineFromMachine(machine))).toEqual(machine);
  });

  it.each<[string, unknown, string]>([
    ['another document', { a: 1 }, 'nvbandwidth: found nothing, expected a mapping'],
    ['no testcases', { nvbandwidth: {} }, 'nvbandwidth.testcases: found nothing, expected a list'],
    [
      'no copies to the device',
      { nvbandwidth: { testcases: [] } },
      'nvbandwidth.testcases: found no testcase host_to_device_memcpy_ce',
    ],
    [
      'copies that were waived',
      { nvbandwidth: { testcases: [{ name: 'host_to_device_memcpy_ce', status: 'Waived' }] } },
      'nvbandwidth.testcases[0]: found host_to_device_memcpy_ce with status "Waived" and nothing for GPU 0, expected a bandwidth in GB/s',
    ],
  ])('is refused with %s', (_, document, message) => {
    expect(() => machineFromNvbandwidth(document, BASE)).toThrow(message);
  });
});
