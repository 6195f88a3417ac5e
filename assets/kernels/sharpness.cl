// How sharp a photograph is, as core::sharpness finds it: the luminance of its
// blocks, the focus measures of the pixels of each cell in a row, and the sums of
// those in each cell.

#define WORKING(T)                                                                 \
    /* The luminance of the mean of each block of `factor` columns and rows of a   \
       photograph `columns` wide, as shares of full scale; `weights` are those of  \
       red, green and blue for values of 16 bits, over the area of a block. */     \
    __kernel void working_##T(__global const T *photo, int columns, int factor,    \
                              float4 weights, __global float *out, int width,      \
                              int height)                                          \
    {                                                                              \
        int x = get_global_id(0), y = get_global_id(1);                            \
        if (x >= width || y >= height) {                                           \
            return;                                                                \
        }                                                                          \
        uint red = 0, green = 0, blue = 0;                                         \
        for (int row = y * factor; row < (y + 1) * factor; row++) {                \
            __global const T *at = photo + ((size_t)row * columns + x * factor) * 3; \
            for (int k = 0; k < 3 * factor; k += 3) {                              \
                red += at[k];                                                      \
                green += at[k + 1];                                                \
                blue += at[k + 2];                                                 \
            }                                                                      \
        }                                                                          \
        float value = weights.x * red + weights.y * green + weights.z * blue;      \
        out[y * width + x] = floor(value + 0.5f) / 65535.0f;                       \
    }

WORKING(uchar)
WORKING(ushort)

// Where cell `at` of `grid` begins along a side of `size` pixels, of which the
// outermost belong to none.
int cell_edge(int at, int size, int grid)
{
    return clamp(at * size / grid, 1, max(size, 2) - 1);
}

// For each column of cells and each row of pixels the sums of the Laplacian, of
// its square, of the squared gradient and of the modified Laplacian.
__kernel void focus_rows(__global const float *grey, int width, int height,
                         __global float4 *sums, int grid)
{
    int column = get_global_id(0), y = get_global_id(1);
    if (column >= grid || y < 1 || y >= height - 1) {
        return;
    }
    int end = cell_edge(column + 1, width, grid);
    float4 sum = 0.0f;
    for (int x = cell_edge(column, width, grid); x < end; x++) {
        __global const float *b = grey + y * width + x;
        __global const float *a = b - width, *c = b + width;
        float across = b[-1] + b[1] - 2.0f * b[0];
        float down = a[0] + c[0] - 2.0f * b[0];
        float laplacian = across + down;
        float gx = (a[1] - a[-1] + 2.0f * (b[1] - b[-1]) + c[1] - c[-1]) / 8.0f;
        float gy = (c[-1] - a[-1] + 2.0f * (c[0] - a[0]) + c[1] - a[1]) / 8.0f;
        sum += (float4)(laplacian, laplacian * laplacian, gx * gx + gy * gy,
                        fabs(across) + fabs(down));
    }
    sums[y * grid + column] = sum;
}

// The sums of those in each cell, of a picture of `height` rows.
__kernel void focus_cells(__global const float4 *sums, int height,
                          __global float4 *cells, int grid)
{
    int column = get_global_id(0), row = get_global_id(1);
    if (column >= grid || row >= grid) {
        return;
    }
    float4 sum = 0.0f;
    int end = cell_edge(row + 1, height, grid);
    for (int y = cell_edge(row, height, grid); y < end; y++) {
        sum += sums[y * grid + column];
    }
    cells[row * grid + column] = sum;
}
