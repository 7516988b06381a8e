#include "models/minimise.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <utility>

#include "base/line_search.h"
#include "models/blocks.h"

namespace tern::models::internal {
namespace {

constexpr std::size_t kHistory = 10;

using Numbers = std::vector<double>;

double largest(const Numbers& a) {
  double most = 0;
  for (const double x : a) most = std::max(most, std::abs(x));
  return most;
}

double sign(double x) { return x > 0 ? 1 : x < 0 ? -1 : 0; }

// A step along the direction, as the line search sees it.
struct Point {
  double t = 0, loss = 0, slope = 0;
  Numbers at{}, gradient{};
};

struct Pair {
  Numbers step, change;
  double product;
};

class Lbfgs {
 public:
  Lbfgs(const Smooth& smooth, const MinimiseOptions& options) : smooth_(smooth), options_(options) {}

  Minimum run(Numbers start) {
    Point now = evaluate(std::move(start));
    Minimum found;
    for (;; ++found.iterations) {
      const Numbers steepest = pseudo_gradient(now);
      if (flat(steepest)) {
        found.converged = true;
        break;
      }
      if (found.iterations == options_.max_iterations) {
        for (std::size_t i = 0; i < steepest.size(); ++i) {
          found.slope = std::max(found.slope, std::abs(steepest[i]) / options_.units[i]);
        }
        break;
      }
      Numbers direction = this->direction(steepest);
      now.t = 0;
      now.slope = dot(direction, steepest);
      if (!(now.slope < 0)) {  // as flat as the numbers tell
        found.converged = true;
        break;
      }
      Point next = options_.l1.empty() ? along(now, direction) : within_orthant(now, direction, steepest);
      if (!(next.loss < now.loss)) {
        if (history_.empty()) {
          found.converged = true;
          break;
        }
        history_.clear();  // once more from the gradient alone
        continue;
      }
      remember(now, next);
      now = std::move(next);
    }
    found.at = std::move(now.at);
    return found;
  }

 private:
  Point evaluate(Numbers at) const {
    Point point;
    point.gradient.resize(at.size());
    point.loss = smooth_(at, point.gradient);
    for (std::size_t i = 0; i < options_.l1.size(); ++i) point.loss += options_.l1[i] * std::abs(at[i]);
    point.at = std::move(at);
    return point;
  }

  // Of the whole: where a parameter is 0, the slope to the side to which it falls, or 0.
  Numbers pseudo_gradient(const Point& at) const {
    Numbers g = at.gradient;
    for (std::size_t i = 0; i < options_.l1.size(); ++i) {
      const double l1 = options_.l1[i];
      g[i] = at.at[i] != 0 ? g[i] + l1 * sign(at.at[i]) : sign(g[i]) * std::max(0.0, std::abs(g[i]) - l1);
    }
    return g;
  }

  bool flat(const Numbers& steepest) const {
    for (std::size_t i = 0; i < steepest.size(); ++i) {
      if (!(std::abs(steepest[i]) <= options_.tolerance * options_.units[i])) return false;
    }
    return true;
  }

  Numbers direction(const Numbers& steepest) const {
    Numbers d = steepest;
    for (double& x : d) x = -x;
    Numbers shares(history_.size());
    for (std::size_t i = history_.size(); i-- > 0;) {
      shares[i] = dot(history_[i].step, d) / history_[i].product;
      for (std::size_t j = 0; j < d.size(); ++j) d[j] -= shares[i] * history_[i].change[j];
    }
    for (std::size_t j = 0; j < d.size(); ++j) d[j] *= size_ * options_.scale[j];
    for (std::size_t i = 0; i < history_.size(); ++i) {
      const double back = shares[i] - dot(history_[i].change, d) / history_[i].product;
      for (std::size_t j = 0; j < d.size(); ++j) d[j] += back * history_[i].step[j];
    }
    if (!options_.l1.empty()) {
      for (std::size_t j = 0; j < d.size(); ++j) {
        if (d[j] * steepest[j] >= 0) d[j] = 0;
      }
    }
    return d;
  }

  Point along(const Point& now, const Numbers& direction) const {
    return tern::internal::strong_wolfe(now, 1, largest(direction), [&](double t) {
      Numbers at = now.at;
      for (std::size_t j = 0; j < at.size(); ++j) at[j] += t * direction[j];
      Point point = evaluate(std::move(at));
      point.t = t;
      point.slope = dot(point.gradient, direction);
      return point;
    });
  }

  // A parameter that would change its sign stops at 0.
  Point within_orthant(const Point& now, const Numbers& direction, const Numbers& steepest) const {
    Point best = now;
    for (double t = 1; t > 1e-12; t /= 2) {
      Numbers at = now.at;
      double expected = 0;
      for (std::size_t j = 0; j < at.size(); ++j) {
        const double side = at[j] != 0 ? sign(at[j]) : -sign(steepest[j]);
        double moved = at[j] + t * direction[j];
        if (options_.l1[j] > 0 && moved * side <= 0) moved = 0;
        expected += (moved - at[j]) * steepest[j];
        at[j] = moved;
      }
      Point point = evaluate(std::move(at));
      if (point.loss <= now.loss + 1e-4 * expected) return point;
      if (point.loss < best.loss) best = std::move(point);
    }
    return best;
  }

  void remember(const Point& before, const Point& after) {
    Pair pair{after.at, after.gradient, 0};
    for (std::size_t j = 0; j < after.at.size(); ++j) {
      pair.step[j] -= before.at[j];
      pair.change[j] -= before.gradient[j];
    }
    pair.product = dot(pair.step, pair.change);
    double size = 0;
    for (std::size_t j = 0; j < after.at.size(); ++j) size += pair.change[j] * pair.change[j] * options_.scale[j];
    if (!(pair.product > 1e-14 * size)) return;
    size_ = pair.product / size;
    if (history_.size() == kHistory) history_.pop_front();
    history_.push_back(std::move(pair));
  }

  const Smooth& smooth_;
  const MinimiseOptions& options_;
  std::deque<Pair> history_;
  double size_ = 1;  // of the inverse second derivatives beside `scale`
};

}  // namespace

Minimum minimise(const Smooth& smooth, std::vector<double> start, const MinimiseOptions& options) {
  return Lbfgs(smooth, options).run(std::move(start));
}

}  // namespace tern::models::internal
