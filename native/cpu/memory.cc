#include "cpu/memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <limits>
#include <optional>
#include <string>

namespace splitpoint {
namespace {

constexpr uint64_t kHugePage = 2 << 20;
// Left to everything else on the machine.
constexpr uint64_t kMargin = 256 << 20;

// A line "key: number kB" or "key number" of a file of the kernel's.
std::optional<uint64_t> numberIn(const std::string& path, const std::string& key) {
  std::ifstream file(path);
  std::string word;
  uint64_t number;
  for (; file >> word; file.ignore(std::numeric_limits<std::streamsize>::max(), '\n')) {
    if (word == key && file >> number) return number;
    file.clear();
  }
  return std::nullopt;
}

std::optional<uint64_t> numberIn(const std::string& path) {
  std::ifstream file(path);
  uint64_t number;
  // "max" is no limit.
  return file >> number ? std::optional(number) : std::nullopt;
}

// Room in the control groups (version 2) that hold this process: job schedulers and containers set limits there.
uint64_t controlGroupRoom() {
  uint64_t room = std::numeric_limits<uint64_t>::max();
  std::ifstream file("/proc/self/cgroup");
  std::string line, group;
  while (std::getline(file, line)) {
    if (line.starts_with("0::/")) group = line.substr(3);
  }
  while (!group.empty()) {
    const std::string folder = "/sys/fs/cgroup" + (group == "/" ? "" : group);
    const auto limit = numberIn(folder + "/memory.max");
    const auto used = numberIn(folder + "/memory.current");
    if (limit && used) {
      // The kernel drops cached files first.
      const uint64_t held = *used - std::min(*used, numberIn(folder + "/memory.stat", "inactive_file").value_or(0));
      room = std::min(room, *limit - std::min(*limit, held));
    }
    group = group == "/" ? "" : group.substr(0, std::max<size_t>(group.rfind('/'), 1));
  }
  return room;
}

std::string inGibibytes(uint64_t bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f GiB", double(bytes) / double(1 << 30));
  return text;
}

constexpr const char* kPoolNames[kPools] = {"GPU", "pinned host", "host"};

[[noreturn]] void throwOutOfMemory(Pool pool, uint64_t asked, uint64_t available) {
  throw OutOfMemory(pool, asked, available,
                    std::string("out of ") + kPoolNames[int(pool)] + " memory: " + inGibibytes(asked) + " asked, " +
                        inGibibytes(available) + " available, " + inGibibytes(asked - std::min(asked, available)) +
                        " short (on the CPU backend every pool is memory of this machine)");
}

}  // namespace

uint64_t totalMemoryBytes() { return numberIn("/proc/meminfo", "MemTotal:").value_or(0) * 1024; }

uint64_t availableMemoryBytes() {
  const uint64_t room = std::min(numberIn("/proc/meminfo", "MemAvailable:").value_or(0) * 1024, controlGroupRoom());
  return room - std::min(room, kMargin);
}

void* allocateTouched(Pool pool, uint64_t bytes) {
  const uint64_t available = availableMemoryBytes();
  if (bytes > available) throwOutOfMemory(pool, bytes, available);
  const bool large = bytes >= 2 * kHugePage;
  const uint64_t alignment = large ? kHugePage : 256;
  void* memory = std::aligned_alloc(alignment, (std::max<uint64_t>(bytes, 1) + alignment - 1) / alignment * alignment);
  if (!memory) throwOutOfMemory(pool, bytes, 0);
  if (large) madvise(memory, bytes, MADV_HUGEPAGE);
  std::memset(memory, 0, bytes);
  return memory;
}

}  // namespace splitpoint
