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
inline HandBuiltPlan planOfEveryKind() {
  HandBuiltPlan p;  // 1 sequence, 2 heads of 4 on 1 key/value head, hidden 8
  const uint32_t weights = p.addBuffer(Pool::gpu, 1000), hidden = p.addBuffer(Pool::gpu, 8);
  const uint32_t normed = p.addBuffer(Pool::gpu, 8), projected = p.addBuffer(Pool::gpu, 16);
  const uint32_t staged = p.addBuffer(Pool::gpu, 2 * 4 * 5), hostKv = p.addBuffer(Pool::pinned, 2 * 4 * 9);
  const uint32_t newKv = p.addBuffer(Pool::gpu, 8), hostQuery = p.addBuffer(Pool::pinned, 8);
  const uint32_t hostResult = p.addBuffer(Pool::host, 10), partial = p.addBuffer(Pool::gpu, 10);
  const uint32_t attended = p.addBuffer(Pool::gpu, 8), sums = p.addBuffer(Pool::gpu, 2);
  const uint32_t inner = p.addBuffer(Pool::gpu, 24);

  // Tokens 0 .. 3 are transferred, 4 .. 6 attended on the host, 7 is new. A plane of the host's cache has room for 9.
  p.add(kCompute, Kind::embed, 1, 16, 1);
  p.operand(Role::weight, false, weights, 0, 5 * 8).operand(Role::bias, false, weights, 40, 2 * 8);
  p.writes(hidden, 0, 8);
  const uint32_t fetch = p.add(kH2d, Kind::copyH2d, 2, 4 * 16, 0);
  p.operand(Role::input, false, hostKv, 0, 16, 2, 36).operand(Role::output, true, staged, 0, 16, 2, 20);
  p.add(kCompute, Kind::norm, 1, 16, 1);
  p.operand(Role::weight, false, weights, 100, 8).operand(Role::bias, false, weights, 108, 8);
  p.reads(hidden, 0, 8).writes(normed, 0, 8);
  p.add(kCompute, Kind::gemm, 1, 16, 8);
  p.reads(normed, 0, 8).operand(Role::weight, false, weights, 200, 64).writes(projected, 0, 8);
  p.operand(Role::weightTransposed, false, weights, 264, 32).operand(Role::bias, false, weights, 296, 4);
  p.writes(projected, 8, 4);
  p.operand(Role::weight, false, weights, 300, 32).writes(projected, 12, 4);
  p.add(kCompute, Kind::rope, 1, 24, 1);
  p.operand(Role::update, true, projected, 0, 8).operand(Role::update, true, projected, 8, 4);
  p.columns.token.back() = 7;
  // The fetch writes other tokens of the same buffer.
  const uint32_t append = p.add(kCompute, Kind::append, 1, 24, 1);
  p.reads(projected, 8, 4).reads(projected, 12, 4);
  p.operand(Role::cache, true, newKv, 0, 4, 2, 4).operand(Role::cache, true, staged, 16, 4, 2, 20);
  const uint32_t query = p.add(kD2h, Kind::copyD2h, 1, 32, 0, {append});
  p.reads(projected, 0, 8).writes(hostQuery, 0, 8);
  const uint32_t host = p.add(kHost, Kind::hostAttend, 2, 4, 3, {query});
  p.operand(Role::query, false, hostQuery, 0, 8).operand(Role::cache, false, hostKv, 16, 12, 2, 36);
  p.writes(hostResult, 0, 8).operand(Role::logSumExp, true, hostResult, 8, 2);
  p.add(kD2h, Kind::copyD2h, 2, 16, 0);  // after the query's copy, and so after what that waits for
  p.operand(Role::input, false, newKv, 0, 4, 2, 4).operand(Role::output, true, hostKv, 28, 4, 2, 36);
  p.add(kCompute, Kind::attend, 2, 4, 5, {fetch});
  p.operand(Role::query, false, projected, 0, 8).operand(Role::cache, false, staged, 0, 16, 2, 20);
  p.operand(Role::cache, false, staged, 16, 4, 2, 20).writes(attended, 0, 8);
  p.operand(Role::logSumExp, true, sums, 0, 2);
  const uint32_t result = p.add(kH2d, Kind::copyH2d, 1, 40, 0, {host});
  p.reads(hostResult, 0, 10).writes(partial, 0, 10);
  p.add(kCompute, Kind::merge, 1, 24, 1, {result});
  p.reads(partial, 0, 8).operand(Role::logSumExp, false, partial, 8, 2);
  p.operand(Role::logSumExp, false, sums, 0, 2).operand(Role::update, true, attended, 0, 8);
  p.add(kCompute, Kind::gemm, 1, 24, 8);
  p.reads(attended, 0, 8).operand(Role::weight, false, weights, 400, 8 * 12).writes(inner, 0, 12);
  p.operand(Role::weight, false, weights, 500, 8 * 12).writes(inner, 12, 12);
  p.add(kCompute, Kind::activation, 1, 36, 1);
  p.reads(inner, 0, 12).reads(inner, 12, 12).writes(inner, 0, 12);
  p.add(kCompute, Kind::gemm, 1, 8, 12);
  p.reads(inner, 0, 12).operand(Role::weight, false, weights, 600, 12 * 8);
  p.operand(Role::update, true, hidden, 0, 8);
  p.add(kCompute, Kind::norm, 1, 16, 1);
  p.operand(Role::weight, false, weights, 100, 8).operand(Role::update, true, hidden, 0, 8);
  p.stepEnd();
  return p;
}

}  // namespace splitpoint::test
