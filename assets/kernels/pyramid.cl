// Fusion by Laplacian pyramid: what core::fuse::pyramid does. A level's winners
// are one float4 per pixel (the detail of red, green and blue, and the energy that
// won) and the winner's number.

// Turns a level of a frame into its detail, and gives the energy of that. The
// mask becomes that of what the detail leans on.
__kernel void split(__global float4 *fine, int width, int height,
                    __global const float4 *coarse, int columns, int rows,
                    __global float *squared)
{
    int x = get_global_id(0), y = get_global_id(1);
    if (x >= width || y >= height) {
        return;
    }
    int at = y * width + x;
    float4 value = fine[at];
    float4 below = expanded_float4(coarse, columns, rows, width, x, y);
    float4 detail = value - below;
    fine[at] = (float4)(detail.xyz, below.w);
    squared[at] = energy_of(detail.xyz);
}

// Where the energy of the surroundings (`around`, half as wide and high) is as
// low as `half_at`, replaces half of the energy by theirs, and more where it is
// lower.
__kernel void calm(__global float *energy, int width, int height,
                   __global const float *around, int columns, int rows, float4 half_at)
{
    int x = get_global_id(0), y = get_global_id(1);
    if (x >= width || y >= height) {
        return;
    }
    int at = y * width + x;
    float wide = expanded_float(around, columns, rows, width, x, y);
    float share = wide / (wide + half_at.x);
    energy[at] = share * energy[at] + (1.0f - share) * wide;
}

// Lets a frame win wherever it has the most energy, times `factor`. Where its
// mask is not whole it wins only over frames that show even less. A tie goes to
// the earlier frame.
__kernel void take(__global const float4 *detail, __global const float *energy,
                   int width, int height, int number, float4 factor,
                   __global float4 *best, __global ushort *winner)
{
    int x = get_global_id(0), y = get_global_id(1);
    if (x >= width || y >= height) {
        return;
    }
    int at = y * width + x;
    float4 value = detail[at];
    float own = value.w < 0.999f ? value.w - 1.0f : factor.x * energy[at];
    float most = best[at].w;
    if (own > most || (own == most && number < winner[at])) {
        best[at] = (float4)(value.xyz, own);
        winner[at] = number;
    }
}

// Adds what is left of a frame below its last level, weighted by the energy
// of that level (`energy_width` by `energy_height`; 0 where there is none), times
// `factor`.
__kernel void base(__global const float4 *rest, int width, int height,
                   __global const float *energy, int energy_width, int energy_height,
                   float4 factor,
                   __global float4 *sum)
{
    int x = get_global_id(0), y = get_global_id(1);
    if (x >= width || y >= height) {
        return;
    }
    int at = y * width + x;
    float4 value = rest[at];
    float strength = energy_width == 0
        ? 0.0f
        : factor.x * soft_float(energy, energy_width, energy_height, 2 * x, 2 * y);
    float shown = value.w < 0.999f ? 1e-4f * value.w : 1.0f;
    float weight = (shown + 1e-6f) * (strength + NOISE);
    sum[at] += (float4)(value.xyz * weight, weight);
}

// For each pixel the winner at this level, where the level shows more than
// noise or is the last. Run from the last level to the first, so that the
// finest has the final word.
__kernel void origin(__global const float4 *best, __global const ushort *winner,
                     int columns, int rows, int level, int is_last,
                     __global ushort *index, __global uchar *confidence,
                     int width, int height)
{
    int x = get_global_id(0), y = get_global_id(1);
    if (x >= width || y >= height) {
        return;
    }
    int from = min(y >> level, rows - 1) * columns + min(x >> level, columns - 1);
    float ratio = sqrt(fmax(best[from].w, 0.0f) / (16.0f * NOISE));
    if (ratio >= 1.0f || is_last) {
        int at = y * width + x;
        index[at] = winner[from];
        confidence[at] = (int)(255.0f * (ratio / (1.0f + ratio))) >> min(level, 7);
    }
}
