"""Train, export, verify and plot: each cell can be run by itself in a notebook or an editor."""

# %% Train the MLP on the digits that come with the toolkit.
import matplotlib.pyplot as plt

from toolkit import api

run = api.train("mlp", data="sample", epochs=10, on_step=lambda step: print(step.done, "of", step.total, step.text))

# %% Export it, and compare each artifact with it, image by image.
folder = api.export(run)
parity = api.verify(folder, margin_pp=2)
print(parity.verdict)

# %% Plot the training, and the change of accuracy of each artifact with its 95 % interval.
epochs, compared = run.progress.history, parity.comparisons
figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
left.plot([epoch.epoch for epoch in epochs], [epoch.loss for epoch in epochs], label="training")
left.plot([epoch.epoch for epoch in epochs], [epoch.val_loss for epoch in epochs], label="validation")
left.set(xlabel="epoch", ylabel="loss")
left.legend()
names = [f"{one.quantization} {one.format}" for one in compared]
right.hlines(names, *zip(*(one.figures.change_ci95_pp for one in compared), strict=True))
right.plot([-one.figures.loss_pp for one in compared], names, "o")
right.set(xlabel="change of accuracy, percentage points")
figure.savefig("example.png")
