# Reads table.tsv, what bench and peak printed; text.awk, markdown.awk and plot.awk show it. STATISTIC=5 takes the
# medians, 8 the least times.
#
#   sizes, size[k]               problems with their sizes, "problem FS size"
#   labels[s], label[s, k]       the contenders of s
#   us[s, label, what]           microseconds; what: value or derived
#   spread[s, label, what]       between the quartiles, as a share of the median
#   anywhere[label]              who was measured at all
#   unit[s]                      the naive value's microseconds
BEGIN {
    FS = "\t"
    if (!STATISTIC) STATISTIC = 5
}
$1 == "machine" && $2 == "multiply-add" { peak[$3] = $4; next }
$1 == "machine" && $2 == "read" { kib[++levels] = $3; speed[levels] = $4; next }
$1 == "lines" { emitted = emitted (emitted == "" ? "" : ", ") $2 " " $3; next }
{
    s = $1 FS $2
    if (!(s in labels)) size[++sizes] = s
    if (!((s, $3) in met)) {
        met[s, $3] = 1
        label[s, ++labels[s]] = $3
    }
    us[s, $3, $4] = $STATISTIC
    anywhere[$3] = 1
    spread[s, $3, $4] = ($7 - $6) / $5
    operations[s, $4] = $9
    bytes[s, $4] = $10
    real[s] = $11
    if ($3 == "naive" && $4 == "value") unit[s] = $STATISTIC
}
# share of the machine's multiply-adds, or of what it reads from where so many bytes fit
function share(s, who, what, of, f, level) {
    if (!us[s, who, what] || !peak["double"] || !operations[s, what]) return ""
    if (of == "operations") f = operations[s, what] / us[s, who, what] / 1e3 / peak[real[s]]
    else {
        for (level = 1; level < levels && kib[level] * 1024 < bytes[s, what]; level++) continue
        f = bytes[s, what] / us[s, who, what] / 1e3 / speed[level]
    }
    return sprintf("%.0f %%", 100 * f)
}
function time_of(t) {
    return t == "" ? "" : sprintf(t < 1 ? "%.3f" : t < 100 ? "%.2f" : "%.0f", t)
}
function ratio(t, u) {
    return t == "" || !u ? "" : sprintf(t / u < 0.1 ? "%.4f" : "%.3f", t / u)
}
function percent(x) {
    return x == "" ? "" : sprintf("%.0f %%", 100 * x)
}
# The geometric means of a contender: its value beside the naive one, and its derivative beside its own value.
function means(who, k, s, v, w, nv, nw, sv, sw, line) {
    for (k = 1; k <= sizes; k++) {
        s = size[k]
        v = us[s, who, "value"]
        w = us[s, who, "derived"]
        if (v != "" && unit[s]) { sv += log(v / unit[s]); nv++ }
        if (v != "" && w != "") { sw += log(w / v); nw++ }
    }
    if (!nv) return ""
    line = sprintf("%s: own value / naive value %.3f (%d rows)", who, exp(sv / nv), nv)
    if (nw) line = line sprintf("; with derivative / own value %.2f (%d rows)", exp(sw / nw), nw)
    return line
}
function machine(line, level) {
    if (!peak["double"]) return ""
    line = sprintf("multiply-adds: %.0f GF double, %.0f GF float; reading", peak["double"], peak["float"])
    for (level = 1; level <= levels; level++) line = line sprintf("%s %.0f GB/s from %d KiB", (level > 1 ? "," : ""), speed[level], kib[level])
    return line
}
