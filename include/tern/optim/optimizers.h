#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "tern/optim/optimizer.h"

// Optimizers whose step treats each element alone, in PyTorch's form (ops/optimizer_step.h has the formulas). Each is
// made of all parameters and one set of options, or of groups with options of their own. (Options are exported because
// a template is no more visible than what it is made of.)
namespace tern::optim {

struct TERN_API SgdOptions {
  double lr = 1e-3;         ///< learning rate, at least 0
  double momentum = 0;      ///< share of the last step's direction that is kept, at least 0
  double dampening = 0;     ///< share of the gradient that momentum leaves out
  double weight_decay = 0;  ///< times the parameter, added to the gradient
  bool nesterov = false;    ///< looks ahead along the momentum; wants momentum above 0 and no dampening
  bool maximize = false;    ///< climbs instead
};

struct TERN_API AdamOptions {
  double lr = 1e-3;         ///< learning rate, at least 0
  double beta1 = 0.9;       ///< decay of the mean of gradients, in [0, 1)
  double beta2 = 0.999;     ///< decay of the mean of squares, in [0, 1)
  double epsilon = 1e-8;    ///< added to the root of the mean of squares
  double weight_decay = 0;  ///< times the parameter, added to the gradient
  bool amsgrad = false;     ///< divides by the largest mean of squares so far
  bool maximize = false;    ///< climbs instead
};

struct TERN_API AdamWOptions {
  double lr = 1e-3;            ///< learning rate, at least 0
  double beta1 = 0.9;          ///< decay of the mean of gradients, in [0, 1)
  double beta2 = 0.999;        ///< decay of the mean of squares, in [0, 1)
  double epsilon = 1e-8;       ///< added to the root of the mean of squares
  double weight_decay = 1e-2;  ///< lr times this share of a parameter is taken off, apart from the gradient
  bool amsgrad = false;        ///< divides by the largest mean of squares so far
  bool maximize = false;       ///< climbs instead
};

struct TERN_API NAdamOptions {
  double lr = 2e-3;              ///< learning rate, at least 0
  double beta1 = 0.9;            ///< decay of the mean of gradients, in [0, 1)
  double beta2 = 0.999;          ///< decay of the mean of squares, in [0, 1)
  double epsilon = 1e-8;         ///< added to the root of the mean of squares
  double weight_decay = 0;       ///< times the parameter, added to the gradient, or as in AdamW:
  bool decoupled = false;        ///< weight decay apart from the gradient
  double momentum_decay = 4e-3;  ///< how fast beta1 rises from a half to its whole, at least 0
  bool maximize = false;         ///< climbs instead
};

struct TERN_API RAdamOptions {
  double lr = 1e-3;         ///< learning rate, at least 0
  double beta1 = 0.9;       ///< decay of the mean of gradients, in [0, 1)
  double beta2 = 0.999;     ///< decay of the mean of squares, in [0, 1)
  double epsilon = 1e-8;    ///< added to the root of the mean of squares
  double weight_decay = 0;  ///< times the parameter, added to the gradient, or as in AdamW:
  bool decoupled = false;   ///< weight decay apart from the gradient
  bool maximize = false;    ///< climbs instead
};

struct TERN_API RmspropOptions {
  double lr = 1e-2;         ///< learning rate, at least 0
  double alpha = 0.99;      ///< decay of the mean of squares, in [0, 1)
  double epsilon = 1e-8;    ///< added to the root of the mean of squares
  double weight_decay = 0;  ///< times the parameter, added to the gradient
  double momentum = 0;      ///< share of the last step's direction that is kept, at least 0
  bool centered = false;    ///< divides by an estimate of the deviation instead
  bool maximize = false;    ///< climbs instead
};

struct TERN_API AdagradOptions {
  double lr = 1e-2;         ///< learning rate, at least 0
  double lr_decay = 0;      ///< step t takes lr / (1 + (t - 1) · lr_decay), at least 0
  double epsilon = 1e-10;   ///< added to the root of the sum of squares
  double weight_decay = 0;  ///< times the parameter, added to the gradient
  double initial = 0;       ///< where the sum of squares starts, at least 0
  bool maximize = false;    ///< climbs instead
};

struct TERN_API AdadeltaOptions {
  double lr = 1;            ///< learning rate, at least 0
  double rho = 0.9;         ///< decay of the means of squares, in [0, 1)
  double epsilon = 1e-6;    ///< added to both means before their roots are taken
  double weight_decay = 0;  ///< times the parameter, added to the gradient
  bool maximize = false;    ///< climbs instead
};

struct TERN_API LionOptions {
  double lr = 1e-4;         ///< learning rate, at least 0
  double beta1 = 0.9;       ///< share of the mean in the direction of a step, in [0, 1)
  double beta2 = 0.99;      ///< decay of the mean of gradients, in [0, 1)
  double weight_decay = 0;  ///< lr times this share of a parameter is taken off, apart from the gradient
  bool maximize = false;    ///< climbs instead
};

/// Parameters with options of their own.
template <class Options>
struct ParameterGroup {
  std::vector<Tensor> parameters;
  Options options{};
};

/// The optimizer of these options; the library has those of the options above.
template <class Options>
class TERN_API ElementwiseOptimizer : public Optimizer {
 public:
  /// Throws ValueError naming an option outside its range, and what Optimizer throws.
  explicit ElementwiseOptimizer(std::vector<Tensor> parameters, const Options& options = {});
  explicit ElementwiseOptimizer(const std::vector<ParameterGroup<Options>>& groups);

  std::string_view name() const override;

 protected:
  void update(const Run& run) override;
  void start(std::size_t group, const std::vector<Tensor>& slots) override;
  bool takes_resident() const override;

 private:
  std::vector<Options> options_;  ///< of each group
};

/// Stochastic gradient descent with momentum (Sutskever et al., ICML 2013): the learning rate scales the momentum
/// buffer, which takes the first gradient undampened.
using Sgd = ElementwiseOptimizer<SgdOptions>;
/// Kingma and Ba, arXiv 1412.6980, with weight decay in the gradient.
using Adam = ElementwiseOptimizer<AdamOptions>;
/// Adam with decoupled weight decay (Loshchilov and Hutter, arXiv 1711.05101).
using AdamW = ElementwiseOptimizer<AdamWOptions>;
/// Adam with Nesterov's momentum (Dozat, ICLR 2016 workshop).
using NAdam = ElementwiseOptimizer<NAdamOptions>;
/// Rectified Adam (Liu et al., arXiv 1908.03265).
using RAdam = ElementwiseOptimizer<RAdamOptions>;
/// Hinton's RMSprop (Coursera, lecture 6e, 2012); centered: Graves, arXiv 1308.0850.
using Rmsprop = ElementwiseOptimizer<RmspropOptions>;
/// Duchi et al., JMLR 12, 2011.
using Adagrad = ElementwiseOptimizer<AdagradOptions>;
/// Zeiler, arXiv 1212.5701.
using Adadelta = ElementwiseOptimizer<AdadeltaOptions>;
/// Chen et al., arXiv 2302.06675.
using Lion = ElementwiseOptimizer<LionOptions>;

using SgdGroup = ParameterGroup<SgdOptions>;
using AdamWGroup = ParameterGroup<AdamWOptions>;

/// Which optimizer, and how it is set: `OptimizerOptions options = AdamWOptions{.lr = 1e-3}`. Of the members that of
/// the kind counts.
struct OptimizerOptions {
  enum class Kind : std::uint8_t { adamw, sgd, adam, nadam, radam, rmsprop, adagrad, adadelta, lion };
  Kind kind = Kind::adamw;
  AdamWOptions adamw{};
  SgdOptions sgd{};
  AdamOptions adam{};
  NAdamOptions nadam{};
  RAdamOptions radam{};
  RmspropOptions rmsprop{};
  AdagradOptions adagrad{};
  AdadeltaOptions adadelta{};
  LionOptions lion{};

  TERN_API OptimizerOptions(const AdamWOptions& options = {});
  TERN_API OptimizerOptions(const SgdOptions& options);
  TERN_API OptimizerOptions(const AdamOptions& options);
  TERN_API OptimizerOptions(const NAdamOptions& options);
  TERN_API OptimizerOptions(const RAdamOptions& options);
  TERN_API OptimizerOptions(const RmspropOptions& options);
  TERN_API OptimizerOptions(const AdagradOptions& options);
  TERN_API OptimizerOptions(const AdadeltaOptions& options);
  TERN_API OptimizerOptions(const LionOptions& options);
};
TERN_API std::unique_ptr<Optimizer> make_optimizer(const OptimizerOptions& options, std::vector<Tensor> parameters);

}  // namespace tern::optim
