"""What all pictures share."""

from toolkit import drawing


def test_things_differ_also_without_colour():
    looks = [drawing.style(position) for position in range(len(drawing.MARKERS))]
    assert len({look.marker for look in looks}) == len({str(look.line) for look in looks}) == len(looks)


def test_a_legend_of_long_texts_is_inside_the_figure():
    figure = drawing.new_figure(width=7, height=4)
    axes = figure.subplots()
    handles = [
        axes.plot([0, 1], label=f"{number}: what is said of this line takes much room")[0] for number in range(4)
    ]
    drawing.legend(figure, handles)
    figure.draw_without_rendering()
    legend = figure.legends[0].get_window_extent()
    assert figure.bbox.x0 <= legend.x0 < legend.x1 <= figure.bbox.x1
    assert legend.y1 <= axes.get_window_extent().y0
