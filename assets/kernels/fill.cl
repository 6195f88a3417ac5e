// Something harmless where a frame shows nothing: what core::fuse::fill does.

// A pixel as far as it is known.
float4 known_at(__global const float4 *frame, int at)
{
    float4 value = frame[at];
    return (float4)(value.xyz * value.w, value.w);
}

// The mean of what is known about every second pixel; its mask is 1 where there
// is anything.
__kernel void pull(__global const float4 *fine, int width, int height,
                   __global float4 *coarse, int columns, int rows)
{
    int x = get_global_id(0), y = get_global_id(1);
    if (x >= columns || y >= rows) {
        return;
    }
    float4 sums[5];
    for (int k = 0; k < 5; k++) {
        int column = mirror(2 * x + k - 2, width);
        float4 near[5];
        for (int j = 0; j < 5; j++) {
            near[j] = known_at(fine, mirror(2 * y + j - 2, height) * width + column);
        }
        sums[k] = BINOMIAL(near[0], near[1], near[2], near[3], near[4]);
    }
    float4 sum = BINOMIAL(sums[0], sums[1], sums[2], sums[3], sums[4]) / 256.0f;
    coarse[y * columns + x] = (float4)(sum.xyz / fmax(sum.w, FLT_MIN), sum.w > HARDLY ? 1.0f : 0.0f);
}

// Puts the next level, expanded, in the place of what is not known.
__kernel void push(__global float4 *fine, int width, int height,
                   __global const float4 *coarse, int columns, int rows)
{
    int x = get_global_id(0), y = get_global_id(1);
    if (x >= width || y >= height) {
        return;
    }
    int at = y * width + x;
    float4 value = fine[at];
    if (value.w < 1.0f) {
        float4 other = expanded_float4(coarse, columns, rows, width, x, y);
        fine[at] = (float4)(value.w * value.xyz + (1.0f - value.w) * other.xyz, value.w);
    }
}

// The same at the last level, of four pixels at most: the mean of what is known.
__kernel void push_last(__global float4 *last, int width, int height)
{
    if (get_global_id(0) > 0 || get_global_id(1) > 0) {
        return;
    }
    float4 sum = (float4)(0.0f);
    for (int at = 0; at < width * height; at++) {
        sum += known_at(last, at);
    }
    for (int at = 0; at < width * height && sum.w > 0.0f; at++) {
        float4 value = last[at];
        if (value.w < 1.0f) {
            float3 other = sum.xyz / sum.w;
            last[at] = (float4)(value.w * value.xyz + (1.0f - value.w) * other, value.w);
        }
    }
}
