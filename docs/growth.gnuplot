# gnuplot docs/growth.gnuplot: draws docs/growth.svg from the figures in docs/performance.md.
set terminal svg size 640,320 font "sans-serif,12" background "white"
set output "docs/growth.svg"
set logscale x
set xrange [8000:1300000]
set yrange [0:1.8]
set xlabel "payments in the ledger"
set ylabel "CPU seconds for 1,000 payments"
set key top left horizontal
set grid ytics lc rgb "#dddddd"
$figures << END
10000 0.43 0.26 0.34 1.19
100000 0.41 0.26 0.32 1.16
300000 0.48 0.31 0.35 1.31
1000000 0.47 0.27 0.49 1.41
END
plot $figures using 1:5 with linespoints lw 2 pt 7 title "all", \
     "" using 1:2 with linespoints lw 2 pt 7 title "connector", \
     "" using 1:4 with linespoints lw 2 pt 7 title "database", \
     "" using 1:3 with linespoints lw 2 pt 7 title "broker"
