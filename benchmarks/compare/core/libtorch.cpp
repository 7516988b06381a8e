#include <torch/torch.h>

#include "measure.h"

// The same works through LibTorch's C++ API.
namespace {

using compare::Work;

torch::nn::Sequential network(const std::vector<long>& sizes) {
  using namespace torch::nn;
  return Sequential(Linear(sizes[0], sizes[1]), ReLU(), Linear(sizes[1], sizes[2]), ReLU(), Linear(sizes[2], sizes[3]));
}

void add(const Work& work, int threads) {
  at::set_num_threads(threads);
  const torch::Tensor a = torch::rand({8, 8}).requires_grad_(), b = torch::rand({8, 8}).requires_grad_();
  compare::measure(work, 1, [&] { const torch::Tensor sum = a + b; });
}

void chain(const Work& work, int threads) {
  at::set_num_threads(threads);
  torch::Tensor x = torch::ones({8, 8}).requires_grad_(), w = torch::ones({8, 8}).requires_grad_();
  compare::measure(work, 100, [&] {
    torch::Tensor y = x;
    for (int i = 0; i < 100; ++i) y = y * w;
    y.sum().backward();
    x.mutable_grad().reset();
    w.mutable_grad().reset();
  });
}

template <class O, class Options>
void step(const Work& work, int threads) {
  at::set_num_threads(threads);
  const std::vector<long> sizes = compare::numbers_of(work.name);
  torch::nn::Sequential net = network(sizes);
  O optimizer(net->parameters(), Options(1e-4));
  const torch::Tensor x = torch::randn({sizes[4], sizes[0]});
  const torch::Tensor target = torch::arange(sizes[4]).remainder(sizes[3]);
  compare::measure(work, 1, [&] {
    optimizer.zero_grad();
    torch::nn::functional::cross_entropy(net->forward(x), target).backward();
    optimizer.step();
  });
}

using torch::optim::AdamW;
using torch::optim::AdamWOptions;
using torch::optim::SGD;
using torch::optim::SGDOptions;

void row(const Work& work, int threads) {
  at::set_num_threads(threads);
  torch::nn::Sequential net = network(compare::numbers_of(work.name));
  net->eval();
  const torch::NoGradGuard guard;
  const torch::Tensor x = torch::rand({1, 30});
  compare::measure(work, 1, [&] { const torch::Tensor y = net->forward(x); });
}

// Its AdamW takes no sparse gradient, and it has no SparseAdam: the dense one is what a user has.
void lookup(const Work& work, int threads) {
  at::set_num_threads(threads);
  const std::vector<long> sizes = compare::numbers_of(work.name);
  torch::nn::Embedding table(sizes[0], sizes[1]);
  AdamW optimizer(table->parameters(), AdamWOptions(1e-4));
  const torch::Tensor ids = (torch::arange(sizes[2]) * 7919).remainder(sizes[0]);
  compare::measure(work, 1, [&] {
    optimizer.zero_grad();
    table->forward(ids).square().mean().backward();
    optimizer.step();
  });
}

torch::Tensor matrix(const Work& work, int threads) {
  at::set_num_threads(threads);
  const std::vector<long> sizes = compare::last_two(work.name);
  return torch::randn({sizes[0], sizes[1]});
}

void bce(const Work& work, int threads) {
  torch::Tensor x = matrix(work, threads).requires_grad_();
  const torch::Tensor t = torch::rand(x.sizes());
  compare::measure(work, 1, [&] {
    torch::nn::functional::binary_cross_entropy_with_logits(x, t).backward();
    x.mutable_grad().reset();
  });
}

template <class F>
void on_matrix(const Work& work, int threads, F f) {
  const torch::Tensor x = matrix(work, threads);
  const torch::NoGradGuard guard;
  compare::measure(work, 1, [&] { const torch::Tensor y = f(x); });
}
void dropped(const Work& work, int threads) {
  on_matrix(work, threads, [](const torch::Tensor& x) { return torch::dropout(x, 0.3, true); });
}
void normals(const Work& work, int threads) {
  on_matrix(work, threads, [](const torch::Tensor& x) { return torch::randn(x.sizes()); });
}
void transposed(const Work& work, int threads) {
  on_matrix(work, threads, [](const torch::Tensor& x) { return x.t().contiguous(); });
}
void transposed_add(const Work& work, int threads) {
  on_matrix(work, threads, [](const torch::Tensor& x) { return x + x.t(); });
}
void argmaxes(const Work& work, int threads) {
  on_matrix(work, threads, [](const torch::Tensor& x) {
    const torch::Tensor rows = x.argmax(1);
    return x.argmax(0);
  });
}
void halves(const Work& work, int threads) {
  on_matrix(work, threads, [](const torch::Tensor& x) { return x.to(torch::kHalf).to(torch::kFloat); });
}

}  // namespace

int main(int argc, char** argv) {
  return compare::main_of(argc, argv,
                          {{"add", &add},
                           {"chain", &chain},
                           {"sgd-16-32-32-4-32", &step<SGD, SGDOptions>},
                           {"adamw-16-32-32-4-32", &step<AdamW, AdamWOptions>},
                           {"sgd-64-64-64-10-64", &step<SGD, SGDOptions>},
                           {"sgd-784-256-256-10-128", &step<SGD, SGDOptions>},
                           {"adamw-784-256-256-10-128", &step<AdamW, AdamWOptions>},
                           {"sgd-784-1024-1024-10-128", &step<SGD, SGDOptions>},
                           {"adamw-784-1024-1024-10-128", &step<AdamW, AdamWOptions>},
                           {"row-30-64-32-1", &row},
                           {"embedding-50000-64-1024", &lookup},
                           {"bce-1024-1024", &bce},
                           {"dropout-1024-1024", &dropped},
                           {"randn-1024-1024", &normals},
                           {"transposed-1024-1024", &transposed},
                           {"transposed-add-1024-1024", &transposed_add},
                           {"argmax-1024-1024", &argmaxes},
                           {"halves-1024-1024", &halves}});
}
