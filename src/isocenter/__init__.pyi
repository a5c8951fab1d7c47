from isocenter.data import Case as Case
from isocenter.data import Cases as Cases
from isocenter.data import Image as Image
from isocenter.io import read as read
from isocenter.io import write as write
from isocenter.verbs._patient import predict_all as predict_all
from isocenter.verbs.check import check as check
from isocenter.verbs.compare import compare as compare
from isocenter.verbs.evaluate import evaluate as evaluate
from isocenter.verbs.explain import explain as explain
from isocenter.verbs.follow import follow as follow
from isocenter.verbs.load import load as load
from isocenter.verbs.look import look as look
from isocenter.verbs.measure import measure as measure
from isocenter.verbs.mosaic import mosaic as mosaic
from isocenter.verbs.predict import predict as predict
from isocenter.verbs.split import split as split
from isocenter.verbs.train import train as train
from isocenter.verbs.transform import transform as transform
from isocenter.verbs.tune import tune as tune

__version__: str
