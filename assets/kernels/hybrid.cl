// Fusion by a pyramid weighted by the finest contrast: what core::fuse::hybrid
// does. What is summed up is one float4 per pixel: red, green and blue by weight,
// and the weight.

// How much of the soft window about a pixel the frame shows. The next level's
// mask, `coarse`, is whole where that is all of it.
float shown_about(__global const float4 *frame, int width, int height,
                  __global const float4 *coarse, int columns, int rows, int x, int y)
{
    int left = x / 2, right = min(left + x % 2, columns - 1);
    int upper = y / 2 * columns, lower = min(y / 2 + y % 2, rows - 1) * columns;
    if (coarse[upper + left].w == 1.0f && coarse[upper + right].w == 1.0f
        && coarse[lower + left].w == 1.0f && coarse[lower + right].w == 1.0f) {
        return 1.0f;
    }
    float sums[5];
    for (int k = 0; k < 5; k++) {
        int column = mirror(x + k - 2, width);
        float near[5];
        for (int j = 0; j < 5; j++) {
            near[j] = frame[mirror(y + j - 2, height) * width + column].w;
        }
        sums[k] = BINOMIAL(near[0], near[1], near[2], near[3], near[4]);
    }
    return BINOMIAL(sums[0], sums[1], sums[2], sums[3], sums[4]) / 256.0f;
}

// Joins the contrast in all windows, in `near`, lets the frame win where it has
// most, and finds its standing: contrast beyond the floor, from 1, as far as the
// surroundings are settled, and less where the frame does not show the scene.
// `factors`: of the frame, and one over the floor.
__kernel void stand(__global float *near, __global float *stands, int width, int height,
                    __global const float *rest, __global const float *settled,
                    __global const float4 *frame, __global const float4 *coarse,
                    int columns, int rows, int masked, int number, float4 factors, int is_root,
                    __global float *best, __global ushort *winner)
{
    int x = get_global_id(0), y = get_global_id(1);
    if (x >= width || y >= height) {
        return;
    }
    int at = y * width + x;
    float all = factors.x * joined(near[at], rest, columns, rows, width, x, y, is_root);
    float beyond = expanded_float(settled, columns, rows, width, x, y);
    float standing = (all * factors.y + 1.0f) * beyond;
    float rank = all;
    if (masked) {
        float shown = shown_about(frame, width, height, coarse, columns, rows, x, y);
        standing = standing * shown + LITTLE * (1.0f - shown);
        rank *= mask_at(frame, width, coarse, columns, x, y);
    }
    near[at] = all;
    stands[at] = standing;
    rise(rank, number, best + at, winner + at);
}

// Adds a pixel by its weight, unless that is nothing beside what is there.
void add(__global float4 *sum, float3 value, float weight)
{
    float4 so_far = *sum;
    if (weight > NOTHING * so_far.w) {
        *sum = so_far + (float4)(value * weight, weight);
    }
}

// Adds a level of a frame, by its standing and, where it is detail beyond
// `coarse`, the energy of that. Where `is_close` the level itself is also added to
// `close`, by standing alone. `scale`: the floor over what is clear, the power, and
// one over the energy that counts as none.
__kernel void gather(__global const float4 *fine, __global const float *standing,
                     __global const float *energy, int width, int height,
                     __global const float4 *coarse, int columns, int rows, int is_detail,
                     float4 scale, __global float4 *sum, __global float4 *close, int is_close)
{
    int x = get_global_id(0), y = get_global_id(1);
    if (x >= width || y >= height) {
        return;
    }
    int at = y * width + x;
    float own = standing[at];
    float steep = SCALE * own * (own * scale.x + 1.0f);
    float weight = raised(steep, scale.y, HYBRID_POWER);
    if (is_close) {
        add(close + at, fine[at].xyz, weight);
    }
    if (!is_detail) {
        add(sum + at, fine[at].xyz, weight);
        return;
    }
    float much = soft_float(energy, width, height, x, y) * scale.z + 1.0f;
    weight *= much * much;
    float4 so_far = sum[at];
    if (weight > NOTHING * so_far.w) {
        float4 detail = fine[at] - expanded_float4(coarse, columns, rows, width, x, y);
        sum[at] = so_far + (float4)(detail.xyz * weight, weight);
    }
}

// How far the most contrast is beyond `level`.
__kernel void beyond(__global float *best, int width, int height, float4 level)
{
    int x = get_global_id(0), y = get_global_id(1);
    if (x < width && y < height) {
        int at = y * width + x;
        float value = fmax(best[at], 0.0f);
        best[at] = value / (value + level.x);
    }
}

// Replaces a share of a picture, `share` in one more window, by another.
__kernel void mix_in(__global float4 *picture, __global const float4 *other,
                     __global const float *share, int width, int height)
{
    int x = get_global_id(0), y = get_global_id(1);
    if (x < width && y < height) {
        int at = y * width + x;
        float4 value = picture[at];
        float part = soft_float(share, width, height, x, y);
        picture[at] = (float4)(value.xyz + part * (other[at].xyz - value.xyz), value.w);
    }
}
