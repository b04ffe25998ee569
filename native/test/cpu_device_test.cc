#include "cpu/cpu_device.h"

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "test/check.h"

namespace splitpoint {
namespace {

// Generous, because machines that run tests are busy; nothing waits this long unless it hangs.
constexpr double kPatience = 60;

Copy wholeCopy(const void* source, void* target, uint64_t bytes) { return {source, target, bytes, 1, bytes, bytes}; }

TEST("memory of every pool is aligned to 256 bytes, and small and large blocks can be written and read") {
  CpuDevice device({});
  for (Pool pool : {Pool::gpu, Pool::pinned, Pool::host}) {
    for (uint64_t bytes : {uint64_t(1), uint64_t(1000), uint64_t(5 << 20) + 3}) {
      void* memory = device.allocate(pool, bytes);
      CHECK(reinterpret_cast<uintptr_t>(memory) % 256 == 0);
      std::vector<uint8_t> written(bytes), found(bytes);
      for (uint64_t i = 0; i < bytes; ++i) written[i] = uint8_t(i * 7 + i / 251);
      device.write(pool, written.data(), memory, bytes);
      device.read(pool, memory, found.data(), bytes);
      CHECK(found == written);
      device.setBytes(pool, memory, 0xa5, bytes);
      device.read(pool, memory, found.data(), bytes);
      CHECK(found == std::vector<uint8_t>(bytes, 0xa5));
      device.free(pool, memory);
    }
  }
}

TEST("more memory than there is is refused with pool and shortfall before the machine runs out") {
  CpuDevice device({});
  const uint64_t asked = device.info().hostBytes + (uint64_t(1) << 30);
  try {
    device.allocate(Pool::pinned, asked);
    CHECK(!"allocated more than the machine has");
  } catch (const OutOfMemory& error) {
    CHECK(error.pool == Pool::pinned);
    CHECK(error.asked == asked);
    CHECK(error.available < asked);
    CHECK(std::string(error.what()).find("pinned") != std::string::npos);
    CHECK(std::string(error.what()).find("short") != std::string::npos);
  }
  CHECK_THROWS(OutOfMemory, device.allocate(Pool::gpu, std::numeric_limits<uint64_t>::max()));
}

TEST("the device says what it is") {
  DeviceInfo info = CpuDevice({.hostThreads = 3}).info();
  CHECK(info.backend == "cpu");
  CHECK(!info.name.empty());
  CHECK(!info.blas.empty());
  CHECK(info.hostThreads == 3);
  CHECK(info.hostBytes > info.hostFreeBytes);
  CHECK(info.hostFreeBytes > 0);
  CHECK(CpuDevice({}).info().hostThreads >= 1);
}

TEST("a rate that means nothing is refused") {
  CHECK_THROWS(DeviceError, CpuDevice({.linkBytesPerSecond = -1}));
  CHECK_THROWS(DeviceError, CpuDevice({.linkBytesPerSecond = NAN}));
  CHECK_THROWS(DeviceError, CpuDevice({.linkBytesPerSecond = INFINITY}));
}

TEST("a BLAS that the environment names must be there, and the built-in one can be wished for") {
  const char* before = std::getenv("SPLITPOINT_BLAS");
  const std::string kept = before ? before : "";
  setenv("SPLITPOINT_BLAS", "/nowhere/libblas.so", 1);
  CHECK_THROWS(DeviceError, CpuDevice({}));
  setenv("SPLITPOINT_BLAS", "libm.so.6", 1);
  CHECK_THROWS(DeviceError, CpuDevice({}));
  setenv("SPLITPOINT_BLAS", "builtin", 1);
  CHECK(CpuDevice({}).info().blas == "built-in");
  before ? setenv("SPLITPOINT_BLAS", kept.c_str(), 1) : unsetenv("SPLITPOINT_BLAS");
}

TEST("a pitched copy moves its rows and leaves the gaps alone, paced or not") {
  for (double rate : {0.0, 3e9}) {
    CpuDevice device({.linkBytesPerSecond = rate});
    constexpr uint64_t rows = 37, rowBytes = 5001, sourceStride = 6007, targetStride = 5999;
    std::vector<uint8_t> source(rows * sourceStride), target(rows * targetStride, 0x11), expected = target;
    for (size_t i = 0; i < source.size(); ++i) source[i] = uint8_t(i * 13 + i / 257);
    for (uint64_t row = 0; row < rows; ++row)
      for (uint64_t i = 0; i < rowBytes; ++i) expected[row * targetStride + i] = source[row * sourceStride + i];
    for (Stream stream : {kH2d, kD2h}) {
      std::fill(target.begin(), target.end(), 0x11);
      device.copy(stream, {source.data(), target.data(), rowBytes, rows, sourceStride, targetStride});
      CHECK(device.drained(kPatience));
      CHECK(target == expected);
    }
  }
}

TEST("a paced copy of many chunks moves all bytes, and no faster than asked") {
  CpuDevice device({.linkBytesPerSecond = 1e9});
  std::vector<uint8_t> source(20'000'001), target(source.size());
  for (size_t i = 0; i < source.size(); ++i) source[i] = uint8_t(i * 31 + i / 1021);
  device.resetEvents(2);
  device.record(kH2d, 0, false);
  device.copy(kH2d, wholeCopy(source.data(), target.data(), source.size()));
  device.record(kH2d, 1, false);
  CHECK(device.drained(kPatience));
  CHECK(target == source);
  CHECK(device.secondsBetween(0, 1) >= 0.020);
}

TEST("a capture moves rows on any stream and is not paced") {
  // At the link's pace this would take a quarter of an hour.
  CpuDevice device({.linkBytesPerSecond = 1000});
  std::vector<uint8_t> source(1 << 20), target(source.size());
  for (size_t i = 0; i < source.size(); ++i) source[i] = uint8_t(i * 31 + i / 1021);
  for (int stream = 0; stream < kStreams; ++stream) {
    std::fill(target.begin(), target.end(), 0);
    device.capture(Stream(stream), {source.data(), target.data(), 1 << 10, 1 << 10, 1 << 10, 1 << 10});
    CHECK(device.drained(kPatience));
    CHECK(target == source);
  }
}

TEST("a stream runs its commands in order") {
  CpuDevice device({});
  std::vector<uint32_t> places(200);
  for (uint32_t i = 0; i < places.size(); ++i) places[i] = i;
  // The first number travels to the last place only if the copies run one after the other.
  for (uint32_t i = 0; i + 1 < places.size(); ++i) device.copy(kD2h, wholeCopy(&places[i], &places[i + 1], 4));
  CHECK(device.drained(kPatience));
  for (uint32_t number : places) CHECK(number == 0);
}

TEST("events order streams: a value handed around four streams arrives") {
  CpuDevice device({});
  constexpr uint32_t hops = 2000;
  std::vector<uint32_t> places(hops + 1);
  places[0] = 42;
  device.resetEvents(hops);
  device.closeGate();
  for (uint32_t hop = 0; hop < hops; ++hop) {
    const auto stream = Stream((hop * 7) % kStreams);
    if (hop > 0) device.wait(stream, hop - 1);
    device.copy(stream, wholeCopy(&places[hop], &places[hop + 1], 4));
    device.record(stream, hop, false);
  }
  device.openGate();
  CHECK(device.drained(kPatience));
  CHECK(places[hops] == 42);
  for (uint32_t hop = 0; hop < hops; ++hop) CHECK(device.reached(hop));
  for (uint32_t hop = 1; hop < hops; ++hop) CHECK(device.secondsBetween(hop - 1, hop) >= 0);
}

TEST("resetting forgets that events were reached") {
  CpuDevice device({});
  device.resetEvents(3);
  device.record(kCompute, 1, false);
  CHECK(device.drained(kPatience));
  CHECK(device.reached(1) && !device.reached(0) && !device.reached(2));
  device.resetEvents(2);
  CHECK(!device.reached(1));
}

TEST("nothing behind a closed gate begins before it opens, on any stream, gate after gate") {
  CpuDevice device({});
  for (int round = 0; round < 20; ++round) {
    device.resetEvents(2 * kStreams);
    for (int stream = 0; stream < kStreams; ++stream) device.record(Stream(stream), uint32_t(stream), false);
    device.closeGate();
    for (int stream = 0; stream < kStreams; ++stream) device.record(Stream(stream), uint32_t(kStreams + stream), false);
    std::this_thread::sleep_for(std::chrono::milliseconds(round % 3));
    CHECK(!device.drained(0));
    for (uint32_t event = kStreams; event < 2 * kStreams; ++event) CHECK(!device.reached(event));
    device.openGate();
    CHECK(device.drained(kPatience));
    for (uint32_t event = 0; event < 2 * kStreams; ++event) CHECK(device.reached(event));
  }
}

TEST("cancelling drops what waits behind a gate, for an event that never comes, or for a slow link") {
  CpuDevice device({.linkBytesPerSecond = 1000});
  std::vector<uint8_t> source(1 << 20, 1), target(1 << 20);
  device.resetEvents(3);
  device.copy(kH2d, wholeCopy(source.data(), target.data(), source.size()));
  device.record(kH2d, 0, false);
  device.wait(kCompute, 2);
  device.record(kCompute, 1, false);
  CHECK(!device.drained(0.05));
  device.closeGate();
  device.record(kHost, 2, false);
  device.cancel();
  CHECK(device.drained(kPatience));
  for (uint32_t event = 0; event < 3; ++event) CHECK(!device.reached(event));
  CHECK(target.back() == 0);
  // And is as good as new.
  device.resetEvents(1);
  device.record(kCompute, 0, false);
  CHECK(device.drained(kPatience));
  CHECK(device.reached(0));
}

TEST("a device may be destroyed while its streams wait") {
  CpuDevice device({.linkBytesPerSecond = 1000});
  static std::vector<uint8_t> memory(1 << 20);
  device.resetEvents(1);
  device.copy(kD2h, wholeCopy(memory.data(), memory.data() + memory.size() / 2, memory.size() / 2));
  device.wait(kCompute, 0);
  device.closeGate();
  device.record(kHost, 0, false);
}

TEST("draining reports a command that failed, drops what waits for it, and the device goes on") {
  CpuDevice device({});
  float number = 1;
  device.resetEvents(1);
  // No tokens to attend.
  device.attend(kHost, {.type = Type::fp32,
                        .batch = 1,
                        .heads = 1,
                        .kvHeads = 1,
                        .headDim = 1,
                        .query = &number,
                        .segment = {},
                        .segments = 0,
                        .output = &number,
                        .logSumExp = nullptr});
  device.record(kHost, 0, true);
  device.wait(kCompute, 0);
  CHECK_THROWS(DeviceError, device.drained(kPatience));
  CHECK(!device.reached(0));
  CHECK(device.drained(kPatience));
  device.record(kHost, 0, true);
  CHECK(device.drained(kPatience));
  CHECK(device.reached(0));
}

TEST("two devices run at the same time without disturbing each other") {
  auto chain = [](uint32_t value) {
    CpuDevice device({.hostThreads = 2});
    std::vector<uint32_t> places(301);
    places[0] = value;
    device.resetEvents(300);
    for (uint32_t i = 0; i < 300; ++i) {
      if (i > 0) device.wait(Stream(i % kStreams), i - 1);
      device.copy(Stream(i % kStreams), wholeCopy(&places[i], &places[i + 1], 4));
      device.record(Stream(i % kStreams), i, false);
    }
    return device.drained(kPatience) && places[300] == value;
  };
  std::atomic<int> good{0};
  std::thread other([&] { good += chain(7); });
  good += chain(8);
  other.join();
  CHECK(good == 2);
}

}  // namespace
}  // namespace splitpoint
