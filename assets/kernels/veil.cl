// Takes what near things lay over what lies behind them off a frame: what
// core::veil::sheet does.

// Light behind a veil, as a value.
float bare(float value, float veil, float covers, float low, float high)
{
    float light = value * fmax(value, 0.0f) - veil;
    float behind = clamp(light / (1.0f - fmin(covers, THICK)), 0.0f, 1.0f);
    return fmin(fmax(sqrt(behind), low), high);
}

// The values of a place between two rows.
void down(__global const float *upper, __global const float *lower, float share, float *place)
{
    for (int k = 0; k < VEIL_VALUES; k++) {
        place[k] = upper[k] + share * (lower[k] - upper[k]);
    }
}

// `places` has VEIL_VALUES for each of `columns` × `rows` cells of `step` pixels:
// three of light, how much it covers, how far it is lifted, the least and the
// greatest values.
__kernel void lift(__global float4 *frame, int width, int height,
                   __global const float *places, int columns, int rows, int step)
{
    int x = get_global_id(0), y = get_global_id(1);
    if (x >= width || y >= height) {
        return;
    }
    int u = x / step, v = y / step;
    int next = min(u + 1, columns - 1), below = min(v + 1, rows - 1);
    __global const float *upper = places + v * columns * VEIL_VALUES;
    __global const float *lower = places + below * columns * VEIL_VALUES;
    float share = (float)(y - v * step) / (float)step;
    float own[VEIL_VALUES], other[VEIL_VALUES];
    down(upper + u * VEIL_VALUES, lower + u * VEIL_VALUES, share, own);
    down(upper + next * VEIL_VALUES, lower + next * VEIL_VALUES, share, other);
    if (own[3] * own[4] <= THIN && other[3] * other[4] <= THIN) {
        return;
    }
    share = (float)(x - u * step) / (float)step;
    for (int k = 0; k < VEIL_VALUES; k++) {
        own[k] += share * (other[k] - own[k]);
    }
    int at = y * width + x;
    float4 value = frame[at];
    float4 behind = (float4)(bare(value.x, own[0], own[3], own[5], own[8]),
                             bare(value.y, own[1], own[3], own[6], own[9]),
                             bare(value.z, own[2], own[3], own[7], own[10]), value.w);
    frame[at] = value + own[4] * (behind - value);
}
