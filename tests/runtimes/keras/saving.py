"""Small models, saved by Keras."""


def saved(keras, path, *layers):
    keras.Sequential([keras.Input((8, 8, 1)), *layers, keras.layers.Flatten(), keras.layers.Dense(3)]).save(path)
    return path
