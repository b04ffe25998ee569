#pragma once

#include <cstring>
#include <memory>
#include <vector>

#include "cuda/cuda_device.h"
#include "test/cpu_oracle.h"

// Devices and memory of theirs, for tests.

namespace splitpoint::test {

// One for all tests: opening takes a second.
inline Device& cudaDevice(bool graph = false) {
  static std::unique_ptr<Device> devices[2];
  if (!devices[graph]) devices[graph] = openCudaDevice({.hostThreads = 2, .graph = graph});
  return *devices[graph];
}

// Memory of a pool, filled with NaN of every type.
class Memory {
 public:
  Memory(Device& device, Pool pool, uint64_t bytes)
      : device_(device), pool_(pool), bytes_(bytes), data_(device.allocate(pool, bytes)) {
    device.setBytes(pool, data_, 0xff, bytes);
  }
  Memory(Device& device, Pool pool, Tensor& tensor, Type type) : Memory(device, pool, tensor.count() * bytesOf(type)) {
    device.write(pool, tensor.data(), data_, bytes_);
  }
  ~Memory() { device_.free(pool_, data_); }
  Memory(const Memory&) = delete;

  void* data() const { return data_; }
  float* floats() const { return static_cast<float*>(data_); }
  Tensor tensor(Type type) const {
    Tensor tensor(type, bytes_ / bytesOf(type));
    device_.read(pool_, data_, tensor.data(), bytes_);
    return tensor;
  }

 private:
  Device& device_;
  Pool pool_;
  uint64_t bytes_;
  void* data_;
};

}  // namespace splitpoint::test
