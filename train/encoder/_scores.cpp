// SSIM, MS-SSIM (as msroi.metrics defines them) and SSIMULACRA2 of many candidates against one reference.
// For the search of parameters alone: single precision, fast-math, not shipped. train/encoder/scores.py builds it.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

namespace py = pybind11;
using Plane = std::vector<float>;

static std::array<float, 11> taps() {
    std::array<float, 11> t{};
    double sum = 0;
    for (int i = -5; i <= 5; ++i) sum += std::exp(-i * i / 4.5);
    for (int i = -5; i <= 5; ++i) t[i + 5] = static_cast<float>(std::exp(-i * i / 4.5) / sum);
    return t;
}
static const std::array<float, 11> TAPS = taps();

static inline int reflect(int i, int n) {  // dcba|abcd|dcba
    while (i < 0 || i >= n) i = i < 0 ? -1 - i : 2 * n - 1 - i;
    return i;
}

// zero_sides: beyond the left and right border lie zeros (as in the package ssimulacra2); else pixels are reflected.
static void blur(const float* in, int h, int w, bool zero_sides, float* out) {
    std::vector<float> line(w + 10), column(w);
    for (int y = 0; y < h; ++y) {
        std::fill(column.begin(), column.end(), 0.f);
        for (int t = 0; t < 11; ++t) {
            int yy = y + t - 5;
            const float* row = in + static_cast<size_t>(reflect(yy, h)) * w;
            const float f = TAPS[t];
            for (int x = 0; x < w; ++x) column[x] += f * row[x];
        }
        for (int x = 0; x < w + 10; ++x) {
            const bool inside = x >= 5 && x < w + 5;
            line[x] = inside ? column[x - 5] : zero_sides ? 0.f : column[reflect(x - 5, w)];
        }
        float* o = out + static_cast<size_t>(y) * w;
        for (int x = 0; x < w; ++x) {
            float s = 0;
            for (int t = 0; t < 11; ++t) s += TAPS[t] * line[x + t];
            o[x] = s;
        }
    }
}

struct Scale {
    int h, w;
    std::array<Plane, 3> image, mean, square;
};

static std::array<float, 256> linear_table() {
    std::array<float, 256> t{};
    for (int i = 0; i < 256; ++i) {
        double v = i / 255.0;
        t[i] = static_cast<float>(v <= 0.04045 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4));
    }
    return t;
}
static const std::array<float, 256> LINEAR = linear_table();

static inline float fast_cbrt(float x) {  // two Newton steps from a bit trick
    union { float f; uint32_t i; } u{x};
    u.i = u.i / 3 + 709921077u;
    float y = u.f;
    for (int k = 0; k < 3; ++k) y = (2.f * y + x / (y * y)) * (1.f / 3.f);
    return y;
}

static std::array<Plane, 3> xyb(const std::array<Plane, 3>& rgb) {
    const float bias = 0.0037930732552754493f, root = std::cbrt(bias);
    const size_t n = rgb[0].size();
    std::array<Plane, 3> out{Plane(n), Plane(n), Plane(n)};
    const float* r = rgb[0].data();
    const float* g = rgb[1].data();
    const float* b = rgb[2].data();
    for (size_t i = 0; i < n; ++i) {
        float m0 = 0.30f * r[i] + 0.622f * g[i] + 0.078f * b[i] + bias;
        float m1 = 0.23f * r[i] + 0.692f * g[i] + 0.078f * b[i] + bias;
        float m2 = 0.24342268924547819f * r[i] + 0.20476744424496821f * g[i] + 0.5518098665095536f * b[i] + bias;
        m0 = fast_cbrt(m0) - root;
        m1 = fast_cbrt(m1) - root;
        m2 = fast_cbrt(m2) - root;
        float x = 0.5f * (m0 - m1), y = 0.5f * (m0 + m1);
        out[0][i] = x * 14.f + 0.42f;
        out[1][i] = y + 0.01f;
        out[2][i] = (m2 - y) + 0.55f;
    }
    return out;
}

static Plane half(const Plane& in, int h, int w) {
    int oh = (h + 1) / 2, ow = (w + 1) / 2;
    Plane out(static_cast<size_t>(oh) * ow);
    for (int y = 0; y < oh; ++y)
        for (int x = 0; x < ow; ++x) {
            int y1 = std::min(2 * y + 1, h - 1), x1 = std::min(2 * x + 1, w - 1);
            out[y * ow + x] = 0.25f * (in[2 * y * w + 2 * x] + in[2 * y * w + x1] + in[y1 * w + 2 * x] + in[y1 * w + x1]);
        }
    return out;
}

struct Features {
    int h, w;
    std::vector<Scale> s2;     // SSIMULACRA2: XYB at six scales
    std::vector<Scale> luma;   // SSIM: one plane at five scales
};

static Features features(const uint8_t* p, int h, int w) {
    Features f{h, w, {}, {}};
    const size_t n = static_cast<size_t>(h) * w;
    std::array<Plane, 3> lin{Plane(n), Plane(n), Plane(n)};
    Plane y(n);
    for (size_t i = 0; i < n; ++i) {
        for (int c = 0; c < 3; ++c) lin[c][i] = LINEAR[p[3 * i + c]];
        y[i] = 0.299f * p[3 * i] + 0.587f * p[3 * i + 1] + 0.114f * p[3 * i + 2] - 128.f;
    }
    int hh = h, ww = w;
    for (int s = 0; s < 6 && hh >= 8 && ww >= 8; ++s) {
        if (s) {
            for (auto& c : lin) c = half(c, hh, ww);
            hh = (hh + 1) / 2;
            ww = (ww + 1) / 2;
            if (hh < 8 || ww < 8) break;
        }
        Scale scale{hh, ww, xyb(lin), {}, {}};
        for (int c = 0; c < 3; ++c) {
            scale.mean[c].resize(lin[c].size());
            scale.square[c].resize(lin[c].size());
            blur(scale.image[c].data(), hh, ww, true, scale.mean[c].data());
            Plane sq(lin[c].size());
            for (size_t i = 0; i < sq.size(); ++i) sq[i] = scale.image[c][i] * scale.image[c][i];
            blur(sq.data(), hh, ww, true, scale.square[c].data());
        }
        f.s2.push_back(std::move(scale));
    }
    hh = h;
    ww = w;
    for (int s = 0; s < 5; ++s) {
        if (s) {
            if (std::min(h, w) < (11 << s)) break;
            y = half(y, hh, ww);
            hh = (hh + 1) / 2;
            ww = (ww + 1) / 2;
        }
        Scale scale{hh, ww, {y, {}, {}}, {}, {}};
        scale.mean[0].resize(y.size());
        scale.square[0].resize(y.size());
        blur(y.data(), hh, ww, false, scale.mean[0].data());
        Plane sq(y.size());
        for (size_t i = 0; i < sq.size(); ++i) sq[i] = y[i] * y[i];
        blur(sq.data(), hh, ww, false, scale.square[0].data());
        f.luma.push_back(std::move(scale));
    }
    return f;
}

static const double WEIGHTS[108] = {
#include "_ssimulacra2_weights.inc"
};

static double ssimulacra2(const Features& a, const Features& b) {
    double sum = 0;
    int i = 0;
    std::vector<std::array<std::array<double, 6>, 3>> all;
    for (size_t s = 0; s < a.s2.size(); ++s) {
        std::array<std::array<double, 6>, 3> of_scale;
        for (int c = 0; c < 3; ++c) {
            const Scale &p = a.s2[s], &q = b.s2[s];
            const size_t n = p.image[c].size();
            Plane product(n), blurred(n);
            for (size_t k = 0; k < n; ++k) product[k] = p.image[c][k] * q.image[c][k];
            blur(product.data(), p.h, p.w, true, blurred.data());
            double t[6] = {};
            for (int y = 0; y < p.h; ++y) {
                float r[6] = {};
                for (int x = 0; x < p.w; ++x) {
                    const size_t k = static_cast<size_t>(y) * p.w + x;
                    const float m1 = p.mean[c][k], m2 = q.mean[c][k];
                    const float num_m = 1.f - (m1 - m2) * (m1 - m2), num_s = 2.f * (blurred[k] - m1 * m2) + 0.0009f;
                    const float den = (p.square[c][k] - m1 * m1) + (q.square[c][k] - m2 * m2) + 0.0009f;
                    const float d = std::max(0.f, 1.f - num_m * num_s / den);
                    const float e = (1.f + std::fabs(q.image[c][k] - m2)) / (1.f + std::fabs(p.image[c][k] - m1)) - 1.f;
                    const float up = std::max(e, 0.f), down = std::max(-e, 0.f);
                    r[0] += d; r[1] += d * d * d * d;
                    r[2] += up; r[3] += up * up * up * up;
                    r[4] += down; r[5] += down * down * down * down;
                }
                for (int k = 0; k < 6; ++k) t[k] += r[k];
            }
            for (int k = 0; k < 6; ++k) of_scale[c][k] = k % 2 ? std::pow(t[k] / n, 0.25) : t[k] / n;
        }
        all.push_back(of_scale);
    }
    for (int c = 0; c < 3; ++c)
        for (size_t s = 0; s < all.size(); ++s)
            for (int n = 0; n < 2; ++n)
                for (int kind = 0; kind < 3; ++kind) sum += WEIGHTS[i++] * std::fabs(all[s][c][2 * kind + n]);
    sum *= 0.9562382616834844;
    sum = 2.326765642916932 * sum - 0.020884521182843837 * sum * sum + 6.248496625763138e-05 * sum * sum * sum;
    return sum > 0 ? 100.0 - 10.0 * std::pow(sum, 0.6276336467831387) : 100.0;
}

static std::pair<double, double> similarity(const Scale& p, const Scale& q) {
    const size_t n = p.image[0].size();
    Plane product(n), blurred(n);
    for (size_t k = 0; k < n; ++k) product[k] = p.image[0][k] * q.image[0][k];
    blur(product.data(), p.h, p.w, false, blurred.data());
    const float c1 = 2.55f * 2.55f, c2 = 7.65f * 7.65f;
    double ssim = 0, cs = 0;
    for (int y = 0; y < p.h; ++y) {
        float a = 0, b = 0;
        for (int x = 0; x < p.w; ++x) {
            const size_t k = static_cast<size_t>(y) * p.w + x;
            const float m1 = p.mean[0][k], m2 = q.mean[0][k];
            const float v = (p.square[0][k] - m1 * m1) + (q.square[0][k] - m2 * m2);
            const float s = (2.f * (blurred[k] - m1 * m2) + c2) / (v + c2);
            const float g1 = m1 + 128.f, g2 = m2 + 128.f;
            a += s * (2.f * g1 * g2 + c1) / (g1 * g1 + g2 * g2 + c1);
            b += s;
        }
        ssim += a;
        cs += b;
    }
    return {ssim / n, cs / n};
}

class Reference {
  public:
    explicit Reference(py::array_t<uint8_t, py::array::c_style> p)
        : own_(features(p.data(), static_cast<int>(p.shape(0)), static_cast<int>(p.shape(1)))) {}
    // (ssim, ms_ssim, ssimulacra2)
    std::array<double, 3> score(py::array_t<uint8_t, py::array::c_style> p) const {
        if (p.shape(0) != own_.h || p.shape(1) != own_.w) throw py::value_error("candidate: another size");
        const uint8_t* data = p.data();
        py::gil_scoped_release release;
        const Features f = features(data, own_.h, own_.w);
        const double exponents[5] = {0.0448, 0.2856, 0.3001, 0.2363, 0.1333};
        double ms = 1, ssim = 0, total = 0;
        for (size_t s = 0; s < f.luma.size(); ++s) total += exponents[s];
        if (f.luma.size() == 5) total = 1;
        for (size_t s = 0; s < f.luma.size(); ++s) {
            auto [full, cs] = similarity(own_.luma[s], f.luma[s]);
            if (s == 0) ssim = full;
            ms *= std::pow(std::max(0.0, s + 1 == f.luma.size() ? full : cs), exponents[s] / total);
        }
        return {ssim, ms, ssimulacra2(own_, f)};
    }

  private:
    Features own_;
};

PYBIND11_MODULE(_scores, m) {
    py::class_<Reference>(m, "Reference").def(py::init<py::array_t<uint8_t, py::array::c_style>>()).def("score", &Reference::score);
}
