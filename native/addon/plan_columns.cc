#include "addon/plan_columns.h"

#include <functional>
#include <limits>

#include "addon/values.h"
#include "core/names.h"
#include "core/text.h"

namespace splitpoint::addon {

namespace {

template <class T>
struct ArrayType;
template <>
struct ArrayType<uint8_t> {
  static constexpr napi_typedarray_type type = napi_uint8_array;
  static constexpr const char* name = "a Uint8Array";
};
template <>
struct ArrayType<uint16_t> {
  static constexpr napi_typedarray_type type = napi_uint16_array;
  static constexpr const char* name = "a Uint16Array";
};
template <>
struct ArrayType<uint32_t> {
  static constexpr napi_typedarray_type type = napi_uint32_array;
  static constexpr const char* name = "a Uint32Array";
};
template <>
struct ArrayType<double> {
  static constexpr napi_typedarray_type type = napi_float64_array;
  static constexpr const char* name = "a Float64Array";
};

// Collects typed arrays, and asks where they lie only when no JavaScript (a getter) can run any more that moves them.
class Columns {
 public:
  explicit Columns(Napi::Env env) : arrays_(Napi::Array::New(env)) {}

  template <class T>
  void add(Napi::Object from, const char* name, const std::string& path, std::span<const T>& target) {
    const Napi::Value value = from.Get(name);
    if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != ArrayType<T>::type) {
      throwExpected(value, path + "." + name, ArrayType<T>::name);
    }
    const Napi::TypedArrayOf<T> array = value.As<Napi::TypedArrayOf<T>>();
    arrays_.Set(arrays_.Length(), array);
    locate_.push_back([array, &target]() mutable {
      void* data = nullptr;
      size_t length = 0;
      napi_get_typedarray_info(array.Env(), array, nullptr, &length, &data, nullptr, nullptr);
      target = {static_cast<const T*>(data), data ? length : 0};
    });
  }

  Napi::Array locate() {
    for (const auto& locate : locate_) locate();
    return arrays_;
  }

 private:
  Napi::Array arrays_;
  std::vector<std::function<void()>> locate_;
};

// NaN and infinity where a float cannot hold it, which checkPlan refuses.
float asFloat(double value) {
  const bool fits =
      value >= -double(std::numeric_limits<float>::max()) && value <= double(std::numeric_limits<float>::max());
  return fits ? float(value) : std::numeric_limits<float>::infinity();
}

ModelNumbers modelNumbers(Napi::Object model) {
  const std::string path = "plan.model";
  auto whole = [&](const char* name) { return uint32_t(wholeAt(model, name, path, INT32_MAX)); };
  ModelNumbers numbers{};
  numbers.batch = whole("batch");
  numbers.heads = whole("heads");
  numbers.kvHeads = whole("kvHeads");
  numbers.headDim = whole("headDim");
  numbers.ropeTheta = asFloat(numberAt(model, "ropeTheta", path));
  numbers.normEpsilon = asFloat(numberAt(model, "normEpsilon", path));
  const std::string activation = stringAt(model, "activation", path);
  if (activation != "silu" && activation != "relu") {
    throwExpected(model.Get("activation"), path + ".activation", "\"relu\" or \"silu\"");
  }
  numbers.silu = activation == "silu";
  return numbers;
}

Pool poolAt(Napi::Object buffer, const std::string& path) {
  const std::string name = stringAt(buffer, "pool", path);
  for (int pool = 0; pool < kPools; ++pool) {
    if (name == nameOf(Pool(pool))) return Pool(pool);
  }
  throwExpected(buffer.Get("pool"), path + ".pool", "\"gpu\", \"pinned\" or \"host\"");
}

std::vector<BufferSpec> bufferSpecs(Napi::Value value) {
  if (!value.IsArray()) throwExpected(value, "plan.buffers", "an array");
  const Napi::Array array = value.As<Napi::Array>();
  std::vector<BufferSpec> specs;
  for (uint32_t i = 0; i < array.Length(); ++i) {
    const std::string path = text("plan.buffers[", i, "]");
    const Napi::Object buffer = asObject(array.Get(i), path);
    specs.push_back({stringAt(buffer, "name", path), poolAt(buffer, path), wholeAt(buffer, "bytes", path),
                     booleanAt(buffer, "persistent", path)});
  }
  return specs;
}

}  // namespace

PlanColumns planColumns(Napi::Value value) {
  const Napi::Object object = asObject(value, "plan");
  PlanColumns result;
  Plan& plan = result.plan;
  plan.count = uint32_t(wholeAt(object, "count", "plan", INT32_MAX));
  Columns columns(value.Env());
  columns.add(object, "stream", "plan", plan.stream);
  columns.add(object, "group", "plan", plan.group);
  columns.add(object, "layer", "plan", plan.layer);
  columns.add(object, "step", "plan", plan.step);
  columns.add(object, "microBatch", "plan", plan.microBatch);
  columns.add(object, "token", "plan", plan.token);
  columns.add(object, "work", "plan", plan.work);
  columns.add(object, "dependencyStart", "plan", plan.dependencyStart);
  columns.add(object, "dependency", "plan", plan.dependency);
  const Napi::Object works = objectAt(object, "works", "plan");
  plan.works.count = uint32_t(wholeAt(works, "count", "plan.works", INT32_MAX));
  columns.add(works, "kind", "plan.works", plan.works.kind);
  columns.add(works, "dtype", "plan.works", plan.works.dtype);
  columns.add(works, "m", "plan.works", plan.works.m);
  columns.add(works, "n", "plan.works", plan.works.n);
  columns.add(works, "k", "plan.works", plan.works.k);
  columns.add(works, "batch", "plan.works", plan.works.batch);
  const Napi::Object operands = objectAt(object, "operands", "plan");
  columns.add(operands, "start", "plan.operands", plan.operands.start);
  columns.add(operands, "buffer", "plan.operands", plan.operands.buffer);
  columns.add(operands, "role", "plan.operands", plan.operands.role);
  columns.add(operands, "offsetBytes", "plan.operands", plan.operands.offsetBytes);
  columns.add(operands, "rowBytes", "plan.operands", plan.operands.rowBytes);
  columns.add(operands, "rows", "plan.operands", plan.operands.rows);
  columns.add(operands, "strideBytes", "plan.operands", plan.operands.strideBytes);
  columns.add(operands, "write", "plan.operands", plan.operands.write);
  plan.model = modelNumbers(objectAt(object, "model", "plan"));
  result.buffers = bufferSpecs(object.Get("buffers"));
  result.arrays = columns.locate();
  return result;
}

}  // namespace splitpoint::addon
