// Fusion by Laplacian pyramid: what core::fuse::pyramid and core::fuse::range
// do. A level's winners are one float4 per pixel (the detail of red, green and
// blue, and the energy that won) and the winner's number.

// Turns a level of a frame into its detail, and gives the energy of that: the
// square of its grey, and a share of those of its channels. The mask becomes
// that of what the detail leans on.
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
    float3 colours = (float3)(SHARE_RED, SHARE_GREEN, SHARE_BLUE);
    float grey = dot(colours, detail.xyz);
    float each = dot(colours, detail.xyz * detail.xyz);
    fine[at] = (float4)(detail.xyz, below.w);
    squared[at] = CHROMA * each + (1.0f - CHROMA) * grey * grey;
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

// Lets a frame win wherever it has the most energy. Where its mask is not
// whole it wins only over frames that show even less. A tie goes to the
// earlier frame.
__kernel void take(__global const float4 *detail, __global const float *energy,
                   int width, int height, int number,
                   __global float4 *best, __global ushort *winner)
{
    int x = get_global_id(0), y = get_global_id(1);
    if (x >= width || y >= height) {
        return;
    }
    int at = y * width + x;
    float4 value = detail[at];
    float own = value.w < 0.999f ? value.w - 1.0f : energy[at];
    float most = best[at].w;
    if (own > most || (own == most && number < winner[at])) {
        best[at] = (float4)(value.xyz, own);
        winner[at] = number;
    }
}

// Adds what is left of a frame below its last level, weighted by the energy
// of that level (`energy_width` by `energy_height`; 0 where there is none).
__kernel void base(__global const float4 *rest, int width, int height,
                   __global const float *energy, int energy_width, int energy_height,
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
        : fmax(soft_float(energy, energy_width, energy_height, 2 * x, 2 * y), 0.0f);
    float shown = value.w < 0.999f ? 1e-4f * value.w : 1.0f;
    float weight = (shown + 1e-6f) * (strength + NOISE);
    sum[at] += (float4)(value.xyz * weight, weight);
}

// Adds the coarser level, expanded, to a level of detail.
__kernel void collapse(__global float4 *fine, int width, int height,
                       __global const float4 *coarse, int columns, int rows)
{
    int x = get_global_id(0), y = get_global_id(1);
    if (x < width && y < height) {
        int at = y * width + x;
        float4 value = fine[at];
        float4 more = expanded_float4(coarse, columns, rows, width, x, y);
        fine[at] = (float4)(value.xyz + more.xyz, value.w);
    }
}

// Takes a frame into the range of values of each block of BLOCK by BLOCK pixels.
__kernel void range(__global const float4 *frame, int width, int height,
                    __global float4 *low, __global float4 *high, int columns, int rows)
{
    int column = get_global_id(0), row = get_global_id(1);
    if (column >= columns || row >= rows) {
        return;
    }
    int block = row * columns + column;
    float4 least = low[block], most = high[block];
    for (int y = row * BLOCK; y < min((row + 1) * BLOCK, height); y++) {
        for (int x = column * BLOCK; x < min((column + 1) * BLOCK, width); x++) {
            float4 value = frame[y * width + x];
            if (value.w > 0.0f) {
                least = fmin(least, value);
                most = fmax(most, value);
            }
        }
    }
    low[block] = least;
    high[block] = most;
}

// Holds a picture within the range of each pixel's block and those around it.
__kernel void hold(__global float4 *picture, int width, int height,
                   __global const float4 *low, __global const float4 *high,
                   int columns, int rows)
{
    int x = get_global_id(0), y = get_global_id(1);
    if (x >= width || y >= height) {
        return;
    }
    int column = x / BLOCK, row = y / BLOCK;
    float4 least = (float4)(FLT_MAX), most = (float4)(-FLT_MAX);
    for (int r = max(row - 1, 0); r < min(row + 2, rows); r++) {
        for (int c = max(column - 1, 0); c < min(column + 2, columns); c++) {
            least = fmin(least, low[r * columns + c]);
            most = fmax(most, high[r * columns + c]);
        }
    }
    int at = y * width + x;
    float4 value = picture[at];
    if (least.x <= most.x) {
        picture[at] = (float4)(fmin(fmax(value.xyz, least.xyz), most.xyz), value.w);
    }
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
