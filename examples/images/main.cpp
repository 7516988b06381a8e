// images: a network of fully connected layers on Fashion-MNIST, with a training loop of one's own.

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <exception>
#include <string>

#include "tern/tern.h"

namespace {

using namespace tern;

// Mean and standard deviation of the training images' pixels, as shares of 255.
constexpr double kMean = 0.2860, kDeviation = 0.3530;

struct Options {
  std::string data = "/usr/share/datasets/fashion-mnist", out, device = "cpu";
  int epochs = 15, threads = 0;
  std::int64_t batch_size = 128;
  std::uint64_t seed = 1;
  double lr = 2e-3;
};

data::Dataset read_images(const std::string& folder, const std::string& part) {
  const Tensor pixels = data::read_idx(folder + "/" + part + "-images-idx3-ubyte.gz");
  const Tensor labels = data::read_idx(folder + "/" + part + "-labels-idx1-ubyte.gz");
  if (pixels.dim() != 3 || labels.dim() != 1 || pixels.size(0) != labels.size(0)) {
    throw DataError("images", "expected images [N, height, width] and labels [N] in " + folder + ", got " +
                                  to_string(pixels.shape()) + " and " + to_string(labels.shape()));
  }
  return data::Dataset({{"x", pixels.reshape({pixels.size(0), -1})}, {"y", labels.to(i64)}});
}

Tensor normalized(const Tensor& pixels) { return pixels.to(f32) * (1 / (255 * kDeviation)) - kMean / kDeviation; }

double accuracy(nn::Module& net, const data::Dataset& images, Device device) {
  const NoGrad guard;
  net.eval();
  std::int64_t right = 0;
  for (const data::Batch& batch : data::Loader(images, {.batch_size = 1000, .device = device})) {
    right += (net(normalized(batch.x())).argmax(1) == batch.y()).sum().item<std::int64_t>();
  }
  net.train();
  return static_cast<double>(right) / static_cast<double>(images.rows());
}

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

void run(const Options& options) {
  set_num_threads(options.threads);
  const Device device = device_from(options.device);
  require_device(device);
  const data::Dataset images = read_images(options.data, "train");

  manual_seed(options.seed);
  nn::Sequential net{nn::Linear(images.width(), 512),
                     nn::Relu(),
                     nn::Dropout(0.2),
                     nn::Linear(512, 256),
                     nn::Relu(),
                     nn::Dropout(0.2),
                     nn::Linear(256, 10)};
  net.to(device);
  optim::AdamW optimizer(net.parameters(), {.lr = options.lr, .weight_decay = 0.01});
  data::Loader loader(images,
                      {.batch_size = options.batch_size, .shuffle = true, .device = device, .seed = options.seed});
  const std::int64_t steps = options.epochs * loader.batches();
  const optim::ScheduleOptions schedule{.kind = optim::Schedule::one_cycle};

  std::printf("%lld images, %lld weights\n", static_cast<long long>(images.rows()),
              static_cast<long long>(net.num_parameters()));
  std::int64_t step = 0;
  for (int epoch = 1; epoch <= options.epochs; ++epoch) {
    const double start = now();
    Tensor total = zeros({}, f64, device);  // read once an epoch: a GPU is not waited for at every step
    for (const data::Batch& batch : loader) {
      optimizer.set_lr(optim::learning_rate(schedule, options.lr, step++, steps));
      optimizer.zero_grad();
      const Tensor loss = cross_entropy(net(normalized(batch.x())), batch.y());
      loss.backward();
      optimizer.step();
      total += loss.detach().to(f64) * static_cast<double>(batch.rows());
    }
    std::printf("epoch %2d  loss %.4f  %.2f s\n", epoch, total.item<double>() / static_cast<double>(images.rows()),
                now() - start);
    std::fflush(stdout);
  }
  // The test images are looked at once, at the end: no choice above was made by them.
  std::printf("test accuracy %.4f\n", accuracy(net, read_images(options.data, "t10k"), device));
  if (!options.out.empty()) {
    nn::save_weights(net, options.out);
    std::printf("weights: %s\n", options.out.c_str());
  }
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"images: fully connected layers on Fashion-MNIST"};
  Options options;
  app.add_option("--data", options.data, "folder of the four IDX files")->capture_default_str();
  app.add_option("--epochs", options.epochs)->check(CLI::Range(1, 1000))->capture_default_str();
  app.add_option("--batch-size", options.batch_size)->check(CLI::Range(1, 60000))->capture_default_str();
  app.add_option("--lr", options.lr, "highest learning rate")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--seed", options.seed, "of the weights and the order")->capture_default_str();
  app.add_option("--device", options.device, "cpu, cuda or cuda:N")->capture_default_str();
  app.add_option("--threads", options.threads, "0: TERN_NUM_THREADS, or all")->check(CLI::Range(0, 1024));
  app.add_option("--out", options.out, "safetensors file to write");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  try {
    run(options);
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "images: %s\n", error.what());
    return 1;
  }
}
