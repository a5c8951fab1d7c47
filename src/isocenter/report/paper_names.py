"""What methods, metrics, questions and modalities are called in a paper, in English and in Chinese."""

from __future__ import annotations

ENGLISH, CHINESE = 0, 1

TASKS = {
    "segment": ("segmentation", "图像分割"), "classify": ("classification", "图像分类"),
    "detect": ("object detection", "目标检测"), "instances": ("instance segmentation", "实例分割"),
    "regress": ("regression", "数值回归"), "explain": ("explanation", "模型解释"),
    "track": ("tracking", "目标跟踪"),
}
METHODS = {
    "segment/histogram": ("histogram thresholding", "直方图阈值分割"),
    "segment/threshold": ("thresholding at a fixed intensity", "固定灰度阈值分割"),
    "segment/morphology": ("mathematical morphology", "数学形态学分割"),
    "segment/edges": ("edge-based segmentation", "基于边缘的分割"),
    "segment/watershed": ("marker-controlled watershed", "标记控制的分水岭分割"),
    "segment/level_set": ("a level-set active contour", "水平集活动轮廓"),
    "segment/region_growing": ("region growing", "区域生长"),
    "segment/graph_cut": ("graph-cut segmentation", "图割分割"),
    "segment/greedy": ("a greedy active contour", "贪心活动轮廓"),
    "segment/genetic": ("a thresholding rule found by a genetic algorithm", "遗传算法搜索的阈值分割"),
    "segment/unlabelled": ("a rule-based method that learns from no label", "无标签的规则分割"),
    "segment/centre_box": ("a box at the centre of the image, as a trivial baseline", "图像中心框(平凡基线)"),
    "segment/locate": ("localisation by the explanation map of a classifier", "由分类器解释图定位区域"),
    "segment/lung_lines": ("detection of the lines of lung ultrasound", "肺部超声线征检测"),
    "segment/unet": ("a U-Net", "U-Net 网络"), "segment/fcn": ("a fully convolutional network", "全卷积网络"),
    "segment/vgg_decoder": ("a VGG-16 encoder with a decoder", "VGG-16 编码器加解码器网络"),
    "segment/deeplab": ("a DeepLab v3+ network", "DeepLab v3+ 网络"),
    "segment/cascade": ("a cascade of two segmentation networks", "两级级联分割网络"),
    "classify/ensemble": ("an ensemble of classifiers", "多种分类方法的集成"),
    "segment/ensemble": ("an ensemble of segmentation methods", "多种分割方法的集成"),
    "classify/linear": ("L2-penalised logistic regression on image features", "基于图像特征的 L2 正则化逻辑回归"),
    "classify/boosting": ("gradient-boosted decision trees on image features", "基于图像特征的梯度提升决策树"),
    "classify/mlp": ("a multilayer perceptron on image features", "基于图像特征的多层感知机"),
    "classify/voxels": ("a linear model on the voxels of a common grid", "基于统一网格体素的线性模型"),
    "classify/fusion": ("a fusion of images and clinical facts", "影像与临床信息融合网络"),
    "classify/autoencoder": ("an autoencoder that scores anomalies", "用于异常评分的自编码器"),
    "classify/cnn": ("a convolutional neural network", "卷积神经网络"),
    "classify/rnn": ("a recurrent network over slices or frames", "逐层或逐帧的循环神经网络"),
    "classify/attributes": ("a concept bottleneck through named attributes", "以命名属性为中介的概念瓶颈模型"),
    "regress/linear": ("ridge regression on image features", "基于图像特征的岭回归"),
    "regress/cnn": ("a convolutional neural network", "卷积神经网络"),
    "track/assignment": ("frame-by-frame detection linked by global assignment", "逐帧检测加全局分配关联"),
    "regress/mean": ("the mean of the training cases, as a trivial baseline", "训练集均值(平凡基线)"),
    "detect/template": ("template matching by normalised cross-correlation", "归一化互相关模板匹配"),
    "detect/clusters": ("clustering of thresholded pixels", "阈值像素聚类检测"),
    "detect/region_growing": ("region growing", "区域生长检测"), "detect/yolo": ("a YOLO network", "YOLO 网络"),
    "detect/ssd": ("a single-shot detector (SSD)", "单次多框检测网络 (SSD)"),
    "detect/retinanet": ("a RetinaNet", "RetinaNet 网络"),
    "instances/watershed_split": ("thresholding with watershed splitting", "阈值加分水岭拆分"),
    "instances/contours": ("a network with voting for object centres", "目标中心投票的实例网络"),
    "instances/mask_rcnn": ("a Mask R-CNN", "Mask R-CNN 网络"),
    "instances/cascade_rcnn": ("a Cascade R-CNN", "Cascade R-CNN 网络"),
}
GIVEN = ("findings that were made elsewhere and read from file", "由外部提供并从文件读入的结果")
NETWORKS = {
    "small": ("a small convolutional network", "小型卷积网络"),
    "recurrent": ("a convolutional encoder with a recurrent layer", "卷积编码器加循环层"),
    "autoencoder": ("an autoencoder", "自编码器"),
    "textbook": ("a plain convolutional network", "普通卷积网络"),
    "alexnet": ("AlexNet", "AlexNet"), "vgg16": ("VGG-16", "VGG-16"), "googlenet": ("GoogLeNet", "GoogLeNet"),
    "resnet18": ("ResNet-18", "ResNet-18"), "resnet50": ("ResNet-50", "ResNet-50"),
    "densenet121": ("DenseNet-121", "DenseNet-121"), "mobilenet_v3_small": ("MobileNetV3-Small", "MobileNetV3-Small"),
    "efficientnet_lite0": ("EfficientNet-Lite0", "EfficientNet-Lite0"),
}
METRICS = {
    "dice": ("Dice similarity coefficient", "Dice 相似系数"), "jaccard": ("Jaccard index", "Jaccard 指数"),
    "precision": ("precision", "精确率"), "recall": ("recall", "召回率"), "specificity": ("specificity", "特异度"),
    "hd95": ("95th-percentile Hausdorff distance", "95 百分位 Hausdorff 距离"),
    "assd": ("average symmetric surface distance", "平均对称表面距离"),
    "nsd": ("normalised surface Dice", "归一化表面 Dice"), "volume_error": ("relative volume error", "相对体积误差"),
    "false_volume": ("false-positive volume", "假阳性体积"),
    "auc": ("area under the receiver operating characteristic curve (AUC)", "受试者工作特征曲线下面积 (AUC)"),
    "accuracy": ("accuracy", "准确率"), "balanced_accuracy": ("balanced accuracy", "平衡准确率"),
    "sensitivity": ("sensitivity", "灵敏度"), "f1": ("F1 score", "F1 值"),
    "average_precision": ("average precision", "平均精确率"), "brier": ("Brier score", "Brier 分数"),
    "log_loss": ("log loss", "对数损失"), "ece": ("expected calibration error", "期望校准误差"),
    "ap50": ("average precision at IoU 0.5", "IoU 0.5 时的平均精确率"), "ap": ("average precision", "平均精确率"),
    "pq": ("panoptic quality", "全景质量"), "aji": ("aggregated Jaccard index", "聚合 Jaccard 指数"),
    "tra": ("tracking accuracy (TRA)", "跟踪准确度(TRA)"), "det": ("detection accuracy (DET)", "检测准确度(DET)"),
    "seg": ("segmentation accuracy (SEG)", "分割准确度(SEG)"), "lnk": ("linking accuracy (LNK)", "关联准确度(LNK)"),
    "mota": ("multiple object tracking accuracy", "多目标跟踪准确度(MOTA)"), "idf1": ("identity F1", "身份 F1"),
    "hota": ("higher order tracking accuracy", "高阶跟踪准确度(HOTA)"),
    "link_recall": ("share of correct links", "正确关联比例"),
    "mae": ("mean absolute error", "平均绝对误差"), "rmse": ("root mean squared error", "均方根误差"),
    "r2": ("coefficient of determination (R²)", "决定系数 (R²)"),
    "within": ("share of cases within the 90 % interval", "90% 区间覆盖率"),
}
MODALITIES = {
    "CT": ("CT", "CT"), "MR": ("MRI", "磁共振"), "MRI": ("MRI", "磁共振"), "US": ("ultrasound", "超声"),
    "PT": ("PET", "PET"), "PET": ("PET", "PET"), "CR": ("radiography", "X 线摄影"), "DX": ("radiography", "X 线摄影"),
    "MG": ("mammography", "乳腺 X 线摄影"), "SM": ("microscopy", "显微镜"), "OP": ("fundus photography", "眼底照相"),
}
SPLITS = {
    "train": ("training", "训练集"), "val": ("validation", "验证集"), "test": ("test", "测试集"),
    "all": ("complete", "全部数据"), "": ("undivided", "未划分"),
}
TESTS = {
    "paired bootstrap": ("a paired bootstrap", "配对自助法"),
    "wilcoxon": ("the Wilcoxon signed-rank test", "Wilcoxon 符号秩检验"),
    "delong": ("DeLong's test", "DeLong 检验"), "mcnemar": ("McNemar's test", "McNemar 检验"),
}
RULES = {
    "otsu": ("Otsu's rule", "Otsu 准则"), "triangle": ("the triangle rule", "三角形准则"),
    "mixture": ("a mixture of normal distributions", "高斯混合"),
}


def method_name(task: str, method: str, language: int = ENGLISH) -> str:
    """What a method is called; an unknown one by its own name.

    >>> method_name("segment", "unet"), method_name("segment", "unet", 1), method_name("segment", "mine")
    ('a U-Net', 'U-Net 网络', 'the method mine')
    """
    if method == "given":
        return GIVEN[language]
    found = METHODS.get(f"{task}/{method}")
    return found[language] if found else ("the method ", "方法 ")[language] + method


def short_name(key: str, language: int = ENGLISH) -> str:
    """A metric by its abbreviation, where it has one.

    >>> short_name("auc"), short_name("dice")
    ('AUC', 'Dice similarity coefficient')
    """
    name = metric_name(key, language)
    return name.rpartition("(")[2].rstrip(")") if name.endswith(")") else name


def metric_name(key: str, language: int = ENGLISH) -> str:
    """What a metric is called; an unknown one by its key.

    >>> metric_name("auc", 1), metric_name("ap_small")
    ('受试者工作特征曲线下面积 (AUC)', 'ap small')
    """
    found = METRICS.get(key)
    return found[language] if found else key.replace("_", " ")
