#pragma once

#include <cstring>
#include <string>
#include <vector>

#include "core/plan.h"

namespace splitpoint::test {

// Columns of a plan that can be changed one by one.
struct Columns {
  std::vector<uint8_t> stream, group;
  std::vector<uint16_t> layer, microBatch;
  std::vector<uint32_t> step, token, work, dependencyStart{0}, dependency;
  std::vector<uint8_t> kind, dtype;
  std::vector<double> m, n, k, batch;
  std::vector<uint32_t> operandStart{0}, buffer, rows;
  std::vector<uint8_t> role, write;
  std::vector<double> offsetBytes, rowBytes, strideBytes;

  Plan plan(const ModelNumbers& model) const {
    Plan plan;
    plan.count = uint32_t(stream.size());
    plan.stream = stream;
    plan.group = group;
    plan.layer = layer;
    plan.step = step;
    plan.microBatch = microBatch;
    plan.token = token;
    plan.work = work;
    plan.dependencyStart = dependencyStart;
    plan.dependency = dependency;
    plan.works = {uint32_t(kind.size()), kind, dtype, m, n, k, batch};
    plan.operands = {operandStart, buffer, role, offsetBytes, rowBytes, rows, strideBytes, write};
    plan.model = model;
    return plan;
  }
};

// A plan built operation by operation, with sizes in elements of fp32 where it does not say bytes.
class HandBuiltPlan {
 public:
  Columns columns;
  std::vector<BufferSpec> buffers;
  ModelNumbers model{1, 2, 1, 4, 10000.0f, 1e-5f, false};

  Plan plan() const { return columns.plan(model); }

  uint32_t addBuffer(Pool pool, uint64_t elements) {
    buffers.push_back({"buffer " + std::to_string(buffers.size()), pool, elements * 4, true});
    return uint32_t(buffers.size() - 1);
  }

  // Every operation does work of its own.
  uint32_t add(Stream stream, Kind kind, double m, double n, double k, std::vector<uint32_t> after = {}) {
    Columns& c = columns;
    c.stream.push_back(stream);
    c.group.push_back(0);
    c.layer.push_back(0);
    c.step.push_back(0);
    c.microBatch.push_back(0);
    c.token.push_back(0);
    c.work.push_back(uint32_t(c.kind.size()));
    c.dependency.insert(c.dependency.end(), after.begin(), after.end());
    c.dependencyStart.push_back(uint32_t(c.dependency.size()));
    c.operandStart.push_back(uint32_t(c.buffer.size()));
    c.kind.push_back(uint8_t(kind));
    c.dtype.push_back(uint8_t(Type::fp32));
    c.m.push_back(m);
    c.n.push_back(n);
    c.k.push_back(k);
    c.batch.push_back(1);
    return uint32_t(c.stream.size() - 1);
  }

  // Of the operation added last.
  HandBuiltPlan& operand(Role role, bool write, uint32_t buffer, uint64_t offset, uint64_t rowElements,
                         uint32_t rows = 1, uint64_t stride = 0) {
    Columns& c = columns;
    c.role.push_back(uint8_t(role));
    c.write.push_back(write);
    c.buffer.push_back(buffer);
    c.offsetBytes.push_back(double(offset * 4));
    c.rowBytes.push_back(double(rowElements * 4));
    c.rows.push_back(rows);
    c.strideBytes.push_back(double((stride ? stride : rowElements) * 4));
    c.operandStart.back() = uint32_t(c.buffer.size());
    return *this;
  }
  HandBuiltPlan& reads(uint32_t buffer, uint64_t offset, uint64_t elements) {
    return operand(Role::input, false, buffer, offset, elements);
  }
  HandBuiltPlan& writes(uint32_t buffer, uint64_t offset, uint64_t elements) {
    return operand(Role::output, true, buffer, offset, elements);
  }

  uint32_t copyIn(uint32_t from, uint32_t to, uint64_t elements, std::vector<uint32_t> after = {}) {
    const uint32_t operation = add(kH2d, Kind::copyH2d, 1, double(4 * elements), 0, after);
    reads(from, 0, elements).writes(to, 0, elements);
    return operation;
  }
  uint32_t copyOut(uint32_t from, uint32_t to, uint64_t elements, std::vector<uint32_t> after = {}) {
    const uint32_t operation = add(kD2h, Kind::copyD2h, 1, double(4 * elements), 0, after);
    reads(from, 0, elements).writes(to, 0, elements);
    return operation;
  }
  uint32_t stepEnd() { return add(kCompute, Kind::stepEnd, 0, 0, 0); }
};

// One operation of every kind, all of them sound: a tiny decoder step in which the host attends part of the context.
// 1 sequence, 2 heads on 1 key/value head; `headDim` is a multiple of 4.
inline HandBuiltPlan planOfEveryKind(uint32_t headDim = 4) {
  HandBuiltPlan p;
  p.model.headDim = headDim;
  const uint64_t kv = headDim, h = 2 * headDim, ffn = 3 * headDim;
  // Where a weight begins: apart enough for matrices of any head width.
  const auto at = [scale = uint64_t(headDim / 4) * (headDim / 4)](uint64_t offset) { return offset * scale; };
  const uint32_t weights = p.addBuffer(Pool::gpu, at(1000)), hidden = p.addBuffer(Pool::gpu, h);
  const uint32_t normed = p.addBuffer(Pool::gpu, h), projected = p.addBuffer(Pool::gpu, h + 2 * kv);
  const uint32_t staged = p.addBuffer(Pool::gpu, 2 * kv * 5), hostKv = p.addBuffer(Pool::pinned, 2 * kv * 9);
  const uint32_t newKv = p.addBuffer(Pool::gpu, 2 * kv), hostQuery = p.addBuffer(Pool::pinned, h);
  const uint32_t hostResult = p.addBuffer(Pool::host, h + 2), partial = p.addBuffer(Pool::gpu, h + 2);
  const uint32_t attended = p.addBuffer(Pool::gpu, h), sums = p.addBuffer(Pool::gpu, 2);
  const uint32_t inner = p.addBuffer(Pool::gpu, 2 * ffn);

  // Tokens 0 .. 3 are transferred, 4 .. 6 attended on the host, 7 is new. A plane of the host's cache has room for 9.
  p.add(kCompute, Kind::embed, 1, 16, 1);
  p.operand(Role::weight, false, weights, 0, 5 * h).operand(Role::bias, false, weights, at(40), 2 * h);
  p.writes(hidden, 0, h);
  const uint32_t fetch = p.add(kH2d, Kind::copyH2d, 2, double(4 * 4 * kv), 0);
  p.operand(Role::input, false, hostKv, 0, 4 * kv, 2, 9 * kv);
  p.operand(Role::output, true, staged, 0, 4 * kv, 2, 5 * kv);
  p.add(kCompute, Kind::norm, 1, 16, 1);
  p.operand(Role::weight, false, weights, at(100), h).operand(Role::bias, false, weights, at(108), h);
  p.reads(hidden, 0, h).writes(normed, 0, h);
  p.add(kCompute, Kind::gemm, 1, double(h + 2 * kv), double(h));
  p.reads(normed, 0, h).operand(Role::weight, false, weights, at(200), h * h).writes(projected, 0, h);
  p.operand(Role::weightTransposed, false, weights, at(264), h * kv);
  p.operand(Role::bias, false, weights, at(296), kv).writes(projected, h, kv);
  p.operand(Role::weight, false, weights, at(300), h * kv).writes(projected, h + kv, kv);
  p.add(kCompute, Kind::rope, 1, 24, 1);
  p.operand(Role::update, true, projected, 0, h).operand(Role::update, true, projected, h, kv);
  p.columns.token.back() = 7;
  // The fetch writes other tokens of the same buffer.
  const uint32_t append = p.add(kCompute, Kind::append, 1, 24, 1);
  p.reads(projected, h, kv).reads(projected, h + kv, kv);
  p.operand(Role::cache, true, newKv, 0, kv, 2, kv).operand(Role::cache, true, staged, 4 * kv, kv, 2, 5 * kv);
  const uint32_t query = p.add(kD2h, Kind::copyD2h, 1, double(4 * h), 0, {append});
  p.reads(projected, 0, h).writes(hostQuery, 0, h);
  const uint32_t host = p.add(kHost, Kind::hostAttend, 2, headDim, 3, {query});
  p.operand(Role::query, false, hostQuery, 0, h).operand(Role::cache, false, hostKv, 4 * kv, 3 * kv, 2, 9 * kv);
  p.writes(hostResult, 0, h).operand(Role::logSumExp, true, hostResult, h, 2);
  p.add(kD2h, Kind::copyD2h, 2, double(4 * kv), 0);  // after the query's copy, and so after what that waits for
  p.operand(Role::input, false, newKv, 0, kv, 2, kv).operand(Role::output, true, hostKv, 7 * kv, kv, 2, 9 * kv);
  p.add(kCompute, Kind::attend, 2, headDim, 5, {fetch});
  p.operand(Role::query, false, projected, 0, h).operand(Role::cache, false, staged, 0, 4 * kv, 2, 5 * kv);
  p.operand(Role::cache, false, staged, 4 * kv, kv, 2, 5 * kv).writes(attended, 0, h);
  p.operand(Role::logSumExp, true, sums, 0, 2);
  const uint32_t result = p.add(kH2d, Kind::copyH2d, 1, double(4 * (h + 2)), 0, {host});
  p.reads(hostResult, 0, h + 2).writes(partial, 0, h + 2);
  p.add(kCompute, Kind::merge, 1, 24, 1, {result});
  p.reads(partial, 0, h).operand(Role::logSumExp, false, partial, h, 2);
  p.operand(Role::logSumExp, false, sums, 0, 2).operand(Role::update, true, attended, 0, h);
  p.add(kCompute, Kind::gemm, 1, double(2 * ffn), double(h));
  p.reads(attended, 0, h).operand(Role::weight, false, weights, at(400), h * ffn).writes(inner, 0, ffn);
  p.operand(Role::weight, false, weights, at(500), h * ffn).writes(inner, ffn, ffn);
  p.add(kCompute, Kind::activation, 1, 36, 1);
  p.reads(inner, 0, ffn).reads(inner, ffn, ffn).writes(inner, 0, ffn);
  p.add(kCompute, Kind::gemm, 1, double(h), double(ffn));
  p.reads(inner, 0, ffn).operand(Role::weight, false, weights, at(600), ffn * h);
  p.operand(Role::update, true, hidden, 0, h);
  p.add(kCompute, Kind::norm, 1, 16, 1);
  p.operand(Role::weight, false, weights, at(100), h).operand(Role::update, true, hidden, 0, h);
  p.stepEnd();
  return p;
}

}  // namespace splitpoint::test
