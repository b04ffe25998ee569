import { quantityText } from '../../units/quantity.ts';
import { assumption, type LinkEntry, measured } from '../figure.ts';
import { PCIE_DUPLEX_SOURCE, PCIE_LATENCY_SOURCE, type PcieSlot, pcieLink, pcieRateSource } from '../pcie.ts';

/** Links between host and GPU. PCIe rates are derived, see pcie.ts. */
export const LINKS: Record<string, LinkEntry> = {
  'pcie3-x8': pcie({ generation: 3, lanes: 8 }),
  'pcie3-x16': pcie({ generation: 3, lanes: 16 }),
  'pcie4-x4': pcie({ generation: 4, lanes: 4 }),
  'pcie4-x8': pcie({ generation: 4, lanes: 8 }),
  'pcie4-x16': pcie({ generation: 4, lanes: 16 }),
  'pcie5-x8': pcie({ generation: 5, lanes: 8 }),
  'pcie5-x16': pcie({ generation: 5, lanes: 16 }),
  'pcie6-x16': pcie({ generation: 6, lanes: 16 }),
  'nvlink-c2c': {
    title: 'NVLink-C2C, 450 GB/s per direction nominal',
    h2d: measured('375 GB/s', 'Comm|Scope on a GH200: Schieffer et al., ICPP 2024 (arXiv 2407.07850)'),
    d2h: measured('297 GB/s', 'Comm|Scope on a GH200: Schieffer et al., ICPP 2024 (arXiv 2407.07850)'),
    latency: assumption('6 us', 'as PCIe less its round trip; the copy engine’s set-up stays'),
    duplex: assumption('0.9', 'separate lanes per direction; both share LPDDR5X, which is accounted for by itself'),
  },
};

function pcie(slot: PcieSlot): LinkEntry {
  const link = pcieLink(slot);
  const rate = { value: quantityText(link.h2dBytesPerSecond, 'bytesPerSecond'), ...pcieRateSource(slot) };
  return {
    title: `PCIe ${slot.generation}.0 x${slot.lanes}`,
    h2d: rate,
    d2h: rate,
    latency: assumption(quantityText(link.latencySeconds, 'seconds'), PCIE_LATENCY_SOURCE),
    duplex: measured(String(link.duplex), PCIE_DUPLEX_SOURCE),
  };
}
