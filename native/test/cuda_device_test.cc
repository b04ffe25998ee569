#include <chrono>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "cuda/cuda_device.h"
#include "test/attend_checks.h"
#include "test/check.h"
#include "test/cuda_open.h"
#include "test/on_device.h"
#include "test/small_kernel_checks.h"

namespace splitpoint {
namespace {

using test::cuda;
using test::finish;
using test::kPatience;
using test::OnDevice;
using test::Random;
using test::Tensor;

Copy wholeCopy(const void* source, void* target, uint64_t bytes) { return {source, target, bytes, 1, bytes, bytes}; }

std::unique_ptr<Device> opened(bool graph) { return openCudaDevice({.hostThreads = 2, .graph = graph}); }

bool sidesDiffer(Stream a, Stream b) { return (a == kHost) != (b == kHost); }

// A block of numbers that is handed from stream to stream, a copy at a time, each by its event. Blocks between two
// streams of the device lie in its memory, those that the host's stream touches in pinned memory.
class HandedAround {
 public:
  HandedAround(Device& device, int rounds, uint32_t seed) : device_(device) {
    Random random(seed);
    number_ = test::randomTensor(random, Type::fp32, 50'000);
    // Every stream comes after every other.
    constexpr int cycle[] = {0, 1, 2, 3, 0, 2, 1, 3, 1, 0, 2, 3, 2, 1, 0, 3, 1, 2, 0, 3};
    for (int round = 0; round < rounds; ++round)
      for (int stream : cycle) streams_.push_back(Stream(stream));
    const auto onHost = [&](size_t hop) { return hop < streams_.size() && streams_[hop] == kHost; };
    for (size_t place = 0; place <= streams_.size(); ++place) {
      const bool pinned = onHost(place) || (place > 0 && onHost(place - 1));
      pools_.push_back(pinned ? Pool::pinned : Pool::gpu);
      places_.push_back(device.allocate(pools_.back(), bytes()));
      device.setBytes(pools_.back(), places_.back(), 0xff, bytes());
    }
    device.write(pools_[0], number_.data(), places_[0], bytes());
  }
  ~HandedAround() {
    for (size_t place = 0; place < places_.size(); ++place) device_.free(pools_[place], places_[place]);
  }
  HandedAround(const HandedAround&) = delete;

  uint32_t hops() const { return uint32_t(streams_.size()); }
  // Events from `firstEvent` on.
  void enqueue(uint32_t firstEvent) {
    for (uint32_t hop = 0; hop < hops(); ++hop) {
      const Stream stream = streams_[hop];
      if (hop > 0) device_.wait(stream, firstEvent + hop - 1);
      device_.capture(stream, wholeCopy(places_[hop], places_[hop + 1], bytes()));
      device_.record(stream, firstEvent + hop, hop + 1 < hops() && sidesDiffer(stream, streams_[hop + 1]));
    }
  }
  bool arrived() {
    Tensor found(Type::fp32, number_.count());
    device_.read(pools_.back(), places_.back(), found.data(), bytes());
    return std::memcmp(found.data(), number_.data(), bytes()) == 0;
  }

 private:
  uint64_t bytes() const { return number_.count() * sizeof(float); }

  Device& device_;
  Tensor number_{Type::fp32, 0};
  std::vector<Stream> streams_;
  std::vector<Pool> pools_;
  std::vector<void*> places_;
};

TEST("the device says what it is") {
  const DeviceInfo info = cuda().info();
  CHECK(info.backend == "cuda");
  CHECK(!info.name.empty() && !info.driver.empty());
  CHECK(info.blas.find("cuBLAS") != std::string::npos);
  CHECK(info.gpuBytes >= info.gpuFreeBytes && info.gpuFreeBytes > 0);
  CHECK(info.hostBytes > info.hostFreeBytes && info.hostFreeBytes > 0);
  CHECK(info.multiprocessors > 0);
  CHECK(opened(false)->info().hostThreads == 2);
}

TEST("memory of every pool is aligned to 256 bytes, and small and large blocks can be written and read") {
  for (Pool pool : {Pool::gpu, Pool::pinned, Pool::host}) {
    for (uint64_t bytes : {uint64_t(1), uint64_t(1000), uint64_t(5 << 20) + 3}) {
      void* memory = cuda().allocate(pool, bytes);
      CHECK(reinterpret_cast<uintptr_t>(memory) % 256 == 0);
      std::vector<uint8_t> written(bytes), found(bytes);
      for (uint64_t i = 0; i < bytes; ++i) written[i] = uint8_t(i * 7 + i / 251);
      cuda().write(pool, written.data(), memory, bytes);
      cuda().read(pool, memory, found.data(), bytes);
      CHECK(found == written);
      cuda().free(pool, memory);
    }
  }
}

TEST("more memory than there is is refused, and the pool is named") {
  for (auto [pool, name] : {std::pair{Pool::gpu, "GPU"}, {Pool::pinned, "pinned"}, {Pool::host, "host"}}) {
    const DeviceInfo info = cuda().info();
    const uint64_t asked = (pool == Pool::gpu ? info.gpuBytes : info.hostBytes) + (uint64_t(1) << 30);
    try {
      cuda().allocate(pool, asked);
      CHECK(!"allocated more than there is");
    } catch (const OutOfMemory& error) {
      CHECK(error.pool == pool);
      CHECK(error.asked == asked);
      CHECK(error.available < asked);
      CHECK(std::string(error.what()).find(name) != std::string::npos);
    }
  }
}

TEST("pitched copies move their rows both ways and leave the gaps alone") {
  Random random(41);
  for (auto [sourceGap, targetGap] : {std::pair{0, 0}, {1006, 998}, {0, 7}, {13, 0}}) {
    test::checkPitchedCopy(cuda(), random, 5001, 37, sourceGap, targetGap);
    test::checkPitchedCopy(cuda(), random, 1 << 20, 2, sourceGap, targetGap);
    test::checkPitchedCopy(cuda(), random, 3, 1, sourceGap, targetGap);
  }
}

TEST("rows that lie more than 2 GiB apart are copied") {
  constexpr uint64_t rowBytes = 12'345, stride = (uint64_t(1) << 31) + 4096;
  if (cuda().info().gpuFreeBytes < 2 * stride) return;
  Random random(42);
  const Tensor numbers = test::randomTensor(random, Type::fp16, rowBytes);
  const OnDevice source(cuda(), numbers, 0, Pool::pinned),
      target(cuda(), Tensor(Type::fp16, rowBytes), 0, Pool::pinned);
  uint8_t* const apart = static_cast<uint8_t*>(cuda().allocate(Pool::gpu, stride + rowBytes));
  cuda().copy(kH2d, {source.at(), apart, rowBytes, 2, rowBytes, stride});
  finish(cuda());
  cuda().copy(kD2h, {apart, target.at(), rowBytes, 2, stride, rowBytes});
  const Tensor found = target.now();
  cuda().free(Pool::gpu, apart);
  CHECK(std::memcmp(found.data(), numbers.data(), 2 * rowBytes) == 0);
}

TEST("a copy from pageable memory reads what the work before it has written there") {
  // The host's stream writes pageable memory, which the copy behind it is to read only then.
  auto device = opened(false);
  Random random(43);
  const Tensor numbers = test::randomTensor(random, Type::fp32, 1000);
  const OnDevice source(*device, numbers, 0, Pool::pinned), between(*device, Tensor(Type::fp32, 1000), 0, Pool::host);
  const OnDevice target(*device, Tensor(Type::fp32, 1000));
  const OnDevice large(*device, Tensor(Type::fp32, 20'000'000), 0, Pool::pinned);
  device->resetEvents(1);
  device->closeGate();
  // Takes a while.
  device->capture(kHost, wholeCopy(large.at(), large.at() + large.bytes() / 2, large.bytes() / 2));
  device->capture(kHost, wholeCopy(source.at(), between.at(), source.bytes()));
  device->record(kHost, 0, true);
  device->wait(kH2d, 0);
  device->copy(kH2d, wholeCopy(between.at(), target.at(), source.bytes()));
  device->openGate();
  CHECK(std::memcmp(target.now().data(), numbers.data(), source.bytes()) == 0);
}

TEST("events order every stream after every other, in gates, graphs and without") {
  for (bool graph : {false, true}) {
    auto device = opened(graph);
    for (bool gated : {false, true, false}) {
      HandedAround handed(*device, 3, 44);
      device->resetEvents(handed.hops());
      if (gated) device->closeGate();
      handed.enqueue(0);
      if (gated) device->openGate();
      finish(*device);
      CHECK(handed.arrived());
      for (uint32_t hop = 0; hop < handed.hops(); ++hop) CHECK(device->reached(hop));
    }
  }
}

TEST("nothing behind a closed gate begins before it opens, on any stream, gate after gate") {
  for (bool graph : {false, true}) {
    auto device = opened(graph);
    for (int round = 0; round < 5; ++round) {
      device->resetEvents(1 + kStreams);
      device->record(kCompute, 0, false);
      finish(*device);
      device->closeGate();
      for (int stream = 0; stream < kStreams; ++stream) device->record(Stream(stream), uint32_t(1 + stream), false);
      constexpr double seconds = 0.02;
      std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
      for (uint32_t event = 1; event <= kStreams; ++event) CHECK(!device->reached(event));
      device->openGate();
      finish(*device);
      // Less what the clocks may differ by.
      for (uint32_t event = 1; event <= kStreams; ++event)
        CHECK(device->reached(event) && device->secondsBetween(0, event) >= 0.99 * seconds);
    }
  }
}

TEST("resetting forgets that events were reached") {
  cuda().resetEvents(3);
  cuda().record(kCompute, 1, false);
  cuda().record(kHost, 2, false);
  finish(cuda());
  CHECK(cuda().reached(1) && cuda().reached(2) && !cuda().reached(0));
  cuda().resetEvents(3);
  CHECK(!cuda().reached(1) && !cuda().reached(2));
}

// The host attends the context's end while the device attends its begin; then both are merged.
TEST("attention on the host and on the device, merged, is attention in one piece") {
  for (bool graph : {false, true}) {
    auto device = opened(graph);
    Random random(45);
    for (Type type : test::kAllTypes) {
      const test::AttentionProblem whole(*device, kCompute, random, {type, 3, 2, 2, 64, {150, 90}});
      const Tensor &query = whole.query, nothing(type, query.count());
      const OnDevice hostQuery(*device, nothing, 0, Pool::pinned), hostOutput(*device, nothing, 0, Pool::pinned);
      const OnDevice hostKeys(*device, whole.keys[1], 0, Pool::pinned);
      const OnDevice hostValues(*device, whole.values[1], 0, Pool::pinned);
      const Tensor noSums(Type::fp32, whole.logSumExp.count());
      const OnDevice hostSums(*device, noSums, 0, Pool::pinned), otherSums(*device, noSums), other(*device, nothing);

      Attend near = whole.command(true), far = near;
      near.segments = far.segments = 1;
      far.segment[0] = {hostKeys.at(), hostValues.at(), near.segment[1].tokens};
      far.query = hostQuery.at();
      far.output = hostOutput.at();
      far.logSumExp = reinterpret_cast<float*>(hostSums.at());
      device->resetEvents(3);
      device->closeGate();
      device->copy(kD2h, wholeCopy(whole.queryMemory.at(), hostQuery.at(), hostQuery.bytes()));
      device->record(kD2h, 0, true);
      device->wait(kHost, 0);
      device->attend(kHost, far);
      device->record(kHost, 1, true);
      device->attend(kCompute, near);
      device->wait(kH2d, 1);
      device->copy(kH2d, wholeCopy(hostOutput.at(), other.at(), other.bytes()));
      device->copy(kH2d, wholeCopy(hostSums.at(), otherSums.at(), otherSums.bytes()));
      device->record(kH2d, 2, false);
      device->wait(kCompute, 2);
      device->merge(kCompute, {type, uint32_t(noSums.count()), 64, other.at(),
                               reinterpret_cast<const float*>(otherSums.at()), near.logSumExp, near.output});
      device->openGate();
      const std::vector<double> merged = whole.output.now().numbers();
      device->attend(kCompute, whole.command(false));
      const std::vector<double> expected = whole.output.now().numbers();
      // Partial results are rounded to the type, the merged one once more.
      for (size_t i = 0; i < merged.size(); ++i)
        CHECK_CLOSE(merged[i], expected[i], 3 * test::toleranceOf(type, 1, 50));
    }
  }
}

TEST("cancelling drops what waits behind a gate or for the host, and the device is as good as new") {
  for (bool graph : {false, true}) {
    auto device = opened(graph);
    device->resetEvents(3);
    device->closeGate();
    device->record(kCompute, 0, false);
    device->record(kHost, 1, true);
    device->wait(kH2d, 1);
    device->record(kH2d, 2, false);
    device->cancel();
    finish(*device);
    for (uint32_t event = 0; event < 3; ++event) CHECK(!device->reached(event));

    // While it runs: the host drops what the device's streams wait for.
    for (int round = 0; round < 5; ++round) {
      HandedAround handed(*device, 5, 46);
      device->resetEvents(handed.hops());
      device->closeGate();
      handed.enqueue(0);
      device->openGate();
      device->cancel();
      finish(*device);
    }
    HandedAround handed(*device, 1, 47);
    device->resetEvents(handed.hops());
    device->closeGate();
    handed.enqueue(0);
    device->openGate();
    finish(*device);
    CHECK(handed.arrived());
  }
}

TEST("draining reports a command of the host that failed, lets go what waits for it, and the device goes on") {
  cuda().resetEvents(2);
  float number = 1;
  // No tokens to attend.
  cuda().attend(kHost, {.type = Type::fp32,
                        .batch = 1,
                        .heads = 1,
                        .kvHeads = 1,
                        .headDim = 1,
                        .query = &number,
                        .segment = {},
                        .segments = 0,
                        .output = &number,
                        .logSumExp = nullptr});
  cuda().record(kHost, 0, true);
  cuda().wait(kCompute, 0);
  CHECK_THROWS(DeviceError, cuda().drained(kPatience));
  finish(cuda());
  cuda().resetEvents(2);
  cuda().record(kHost, 0, true);
  cuda().wait(kCompute, 0);
  cuda().record(kCompute, 1, false);
  finish(cuda());
  CHECK(cuda().reached(1));
}

TEST("what only some streams can do is refused on the others") {
  float number = 1;
  CHECK_THROWS(DeviceError, cuda().activate(kHost, {Type::fp32, true, 1, &number, nullptr, &number}));
  CHECK_THROWS(DeviceError, cuda().gemm(kH2d, {}));
  CHECK_THROWS(DeviceError, cuda().attend(kD2h, {}));
}

TEST("a device may be closed while its streams wait") {
  for (bool graph : {false, true}) {
    auto device = opened(graph);
    device->resetEvents(2);
    device->closeGate();
    device->record(kHost, 0, true);
    device->wait(kCompute, 0);
    device->record(kCompute, 1, false);
    if (graph) continue;
    device->openGate();
  }
}

TEST("two devices run at the same time without disturbing each other") {
  const auto run = [](bool graph, uint32_t seed, bool& right) {
    auto device = opened(graph);
    right = true;
    for (int round = 0; round < 3; ++round) {
      HandedAround handed(*device, 2, seed);
      device->resetEvents(handed.hops());
      device->closeGate();
      handed.enqueue(0);
      device->openGate();
      right = device->drained(kPatience) && handed.arrived() && right;
    }
  };
  bool first = false, second = false;
  std::thread other([&] { run(true, 48, first); });
  run(false, 49, second);
  other.join();
  CHECK(first && second);
}

}  // namespace
}  // namespace splitpoint
